import JSON

/// What a scalar of YAML stands for (YAML 1.1 types, as Go's library takes them).
enum YAMLScalar {
  private static let prefix = "tag:yaml.org,2002:"

  /// The JSON of a scalar.
  ///
  /// - Parameters:
  ///   - text: the scalar without its quotes.
  ///   - isPlain: whether it was written without quotes.
  ///   - tag: the tag as it is written, nil for none.
  /// - Returns: the value.
  /// - Throws: ``YAMLDocument/Failure`` for a number that JSON does not have.
  static func json(_ text: String, isPlain: Bool, _ tag: String?) throws(YAMLDocument.Failure) -> JSON {
    switch tag {
    case prefix + "str", prefix + "timestamp": return .string(text)
    case nil: return isPlain ? try plain(text) : .string(text)
    default: return try plain(text)
    }
  }

  /// Whether a text without quotes would not be read as this text.
  static func isResolved(_ text: String) -> Bool {
    if case .string? = try? plain(text) { return isTimestamp(text) || isSexagesimal(text) }
    return true
  }

  private static func plain(_ text: String) throws(YAMLDocument.Failure) -> JSON {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON": return true
    case "false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF": return false
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
      throw YAMLDocument.Failure("json: unsupported value: \(text)")
    default: break
    }
    guard let first = text.utf8.first,
      isDigit(first) || first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
        || first == UInt8(ascii: ".")
    else { return .string(text) }
    return integer(text) ?? fraction(text) ?? .string(text)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private static func integer(_ text: String) -> JSON? {
    let isNegative = text.hasPrefix("-")
    let digits = (isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]).filter { $0 != "_" }
    guard let first = digits.utf8.first, isDigit(first) else { return nil }
    let (rest, radix): (Substring, Int) =
      if digits.hasPrefix("0x") {
        (digits.dropFirst(2), 16)
      } else if digits.hasPrefix("0b") {
        (digits.dropFirst(2), 2)
      } else if digits.hasPrefix("0o") {
        (digits.dropFirst(2), 8)
      } else if digits.count > 1, digits.hasPrefix("0") {
        (digits.dropFirst(), 8)
      } else {
        (digits[...], 10)
      }
    guard rest.first != "-", rest.first != "+", let magnitude = UInt64(rest, radix: radix) else { return nil }
    if !isNegative { return .number(JSONNumber(magnitude)) }
    guard magnitude <= UInt64(Int64.max) + 1 else { return nil }
    return .number(JSONNumber(Int64(bitPattern: 0 &- magnitude)))
  }

  private static func fraction(_ text: String) -> JSON? {
    let isNumber = text.utf8.allSatisfy { byte in
      isDigit(byte)
        || [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-")]
          .contains(byte)
    }
    guard isNumber, text.utf8.contains(where: isDigit), let value = Double(text), value.isFinite else { return nil }
    if let whole = Int64(exactly: value) { return .number(JSONNumber(whole)) }
    // What Swift writes for a finite number is JSON as well.
    return try? JSON(parsing: Array(value.description.utf8))
  }

  /// `2026-08-22`, and what begins so.
  private static func isTimestamp(_ text: String) -> Bool {
    let bytes = Array(text.utf8.prefix(5))
    return bytes.count == 5 && bytes[..<4].allSatisfy(isDigit) && bytes[4] == UInt8(ascii: "-")
      && text.utf8.allSatisfy { isDigit($0) || "-:.TtZz+ ".utf8.contains($0) }
  }

  /// `1:30`, which YAML 1.1 takes for ninety.
  private static func isSexagesimal(_ text: String) -> Bool {
    text.contains(":") && text.utf8.first.map(isDigit) == true
      && text.utf8.allSatisfy { isDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
  }
}
