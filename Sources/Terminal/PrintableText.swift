/// Text of foreign files, made fit for a terminal: a reservation may hold anything.
public enum PrintableText {
  /// The bytes as text, with control characters written as `\x1b`.
  public static func of(_ bytes: some Collection<UInt8>) -> String {
    of(String(decoding: bytes, as: UTF8.self))
  }

  /// The text with control characters written as `\x1b`.
  public static func of(_ text: String) -> String {
    var printable = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        printable += escape(scalar.value)
      default: printable.unicodeScalars.append(scalar)
      }
    }
    return printable
  }

  private static func escape(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return digits.count > 2 ? "\\u{\(digits)}" : "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
  }
}
