import JSON
import YAML

/// A text that people wrote, in YAML or JSON.
enum WrittenDocument {
  /// Why a text cannot be understood, and where.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// What a text stands for; nil when there is nothing in it.
  static func json(_ text: [UInt8]) throws(Failure) -> JSON? {
    let first = text.first { ![0x09, 0x0A, 0x0D, 0x20].contains($0) }
    // What looks like JSON and is none may be YAML in its flow style.
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "["), let json = try? JSON(parsing: text) { return json }
    do throws(YAMLDocument.Failure) {
      return try YAMLDocument.json(String(decoding: text, as: UTF8.self))
    } catch {
      throw Failure(description: error.reason)
    }
  }
}
