import JSON
import Logging
import Terminal

/// Text in log lines: whatever it holds, a line stays one line.
enum LogText {
  /// Without control characters.
  static func printable(_ text: String) -> String { PrintableText.of(text) }

  /// In quotes where blanks or quotes would blur where a value ends.
  static func quoted(_ text: String) -> String {
    let text = printable(text)
    let isPlain = !text.isEmpty && !text.utf8.contains { [UInt8(ascii: " "), 0x22, UInt8(ascii: "=")].contains($0) }
    return isPlain ? text : String(decoding: JSON.string(text).encoded(), as: UTF8.self)
  }

  /// A fact as JSON.
  static func json(_ value: Logger.Metadata.Value) -> JSON {
    switch value {
    case .string(let text): .string(text)
    case .stringConvertible(let value): .string(value.description)
    case .array(let values): .array(values.map(json))
    case .dictionary(let values):
      .object(JSONObject(values.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: json($0.value)) }))
    @unknown default: .string(value.description)
    }
  }
}
