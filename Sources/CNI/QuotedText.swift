/// Text in double quotes with escapes, as upstream's messages quote what they were given.
public enum QuotedText {
  /// `"` and `\` with a backslash, the usual letters for control characters, `\x01`, `\u200b` or `\U000e0001` for other
  /// characters that do not print, `\xff` for bytes that are not UTF-8; everything else as it is.
  public static func quote(_ bytes: some Collection<UInt8>) -> String {
    var quoted = "\""
    var rest = bytes[...]
    while let byte = rest.first {
      guard let (scalar, length) = decodeScalar(rest) else {
        quoted += "\\x" + hexadecimal(UInt32(byte), digits: 2)
        rest = rest.dropFirst()
        continue
      }
      rest = rest.dropFirst(length)
      append(scalar, to: &quoted)
    }
    quoted += "\""
    return quoted
  }

  private static func append(_ scalar: Unicode.Scalar, to text: inout String) {
    switch scalar {
    case "\"", "\\":
      text += "\\"
      text.unicodeScalars.append(scalar)
    case "\u{07}": text += "\\a"
    case "\u{08}": text += "\\b"
    case "\u{0C}": text += "\\f"
    case "\n": text += "\\n"
    case "\r": text += "\\r"
    case "\t": text += "\\t"
    case "\u{0B}": text += "\\v"
    case _ where isPrinting(scalar): text.unicodeScalars.append(scalar)
    case _ where scalar.value < 0x80: text += "\\x" + hexadecimal(scalar.value, digits: 2)
    case _ where scalar.value < 0x10000: text += "\\u" + hexadecimal(scalar.value, digits: 4)
    default: text += "\\U" + hexadecimal(scalar.value, digits: 8)
    }
  }

  private static func isPrinting(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7F { return scalar.value >= 0x20 }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
      return false
    default: return true
    }
  }

  private static func decodeScalar(_ bytes: some Collection<UInt8>) -> (Unicode.Scalar, Int)? {
    guard let first = bytes.first else { return nil }
    if first < 0x80 { return (Unicode.Scalar(first), 1) }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    let piece = Array(bytes.prefix(length))
    guard let text = String(validating: piece, as: UTF8.self), let scalar = text.unicodeScalars.first else {
      return nil
    }
    return (scalar, piece.count)
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}

/// White space in the sense of Unicode's property White_Space.
public enum WhiteSpace {
  public static func contains(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }
}
