public import JSON

/// Writes JSON as YAML: keys sorted, in blocks, lists not indented below their key; texts that would be read as something
/// else in quotes. This is how Go's library writes it for calicoctl (calicoctl specification, section 4.4).
public enum YAMLText {
  /// The document, with a line end and without a marker.
  public static func text(_ value: JSON) -> String {
    var output = ""
    write(value, level: 0, to: &output)
    return output
  }

  private static func write(_ value: JSON, level: Int, to output: inout String) {
    switch value {
    case .object(let object) where !object.members.isEmpty: write(object, level: level, isInline: false, to: &output)
    case .array(let elements) where !elements.isEmpty:
      for element in elements { write(element: element, level: level, to: &output) }
    default: output += scalar(value, level: level) + "\n"
    }
  }

  /// Writes an object; inline, its first line follows what is there.
  private static func write(_ object: JSONObject, level: Int, isInline: Bool, to output: inout String) {
    var isFirst = isInline
    for member in object.members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      if !isFirst { output += String(repeating: "  ", count: level) }
      isFirst = false
      output += string(member.key, level: level) + ":"
      switch member.value {
      case .object(let object) where !object.members.isEmpty:
        output += "\n"
        write(object, level: level + 1, isInline: false, to: &output)
      case .array(let elements) where !elements.isEmpty:
        output += "\n"
        for element in elements { write(element: element, level: level, to: &output) }
      default: output += " " + scalar(member.value, level: level + 1) + "\n"
      }
    }
  }

  private static func write(element: JSON, level: Int, to output: inout String) {
    output += String(repeating: "  ", count: level) + "- "
    switch element {
    case .object(let object) where !object.members.isEmpty:
      write(object, level: level + 1, isInline: true, to: &output)
    case .array(let elements) where !elements.isEmpty:
      var inner = ""
      for element in elements { write(element: element, level: level + 1, to: &inner) }
      output += inner.dropFirst(2 * (level + 1))
    default: output += scalar(element, level: level + 1) + "\n"
    }
  }

  // MARK: Scalars

  private static func scalar(_ value: JSON, level: Int) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let number): number.literal
    case .string(let text): string(text, level: level)
    case .array: "[]"
    case .object: "{}"
    }
  }

  private static func string(_ text: String, level: Int) -> String {
    if YAMLScalar.isResolved(text) { return doublyQuoted(text) }
    if text.contains("\n"), isPrintable(text, except: "\n") { return literal(text, level: level) }
    guard isPrintable(text) else { return doublyQuoted(text) }
    return isPlain(text)
      ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  /// Whether a text says the same without quotes: no indicator stands where it would be taken for one.
  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return false }
    if first == " " || last == " " || last == ":" || text.hasPrefix("---") || text.hasPrefix("...") { return false }
    if "#,[]{}&*!|>'\"%@`".unicodeScalars.contains(first) { return false }
    let second = text.unicodeScalars.dropFirst().first
    if "-?:".unicodeScalars.contains(first), second == nil || second == " " { return false }
    return !text.contains(": ") && !text.contains(" #")
  }

  private static func isPrintable(_ text: String, except allowed: Unicode.Scalar? = nil) -> Bool {
    text.unicodeScalars.allSatisfy { $0 == allowed || $0.value >= 0x20 && $0.value != 0x7F && $0.value != 0xFEFF }
  }

  private static func doublyQuoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      default:
        if scalar.value >= 0x20, scalar.value != 0x7F, scalar.value != 0xFEFF {
          quoted.unicodeScalars.append(scalar)
        } else {
          let digits = String(scalar.value, radix: 16, uppercase: true)
          quoted += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
      }
    }
    return quoted + "\""
  }

  /// Several lines, each on its own.
  private static func literal(_ text: String, level: Int) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.first, first.first != " ", !text.hasSuffix("\n\n") else { return doublyQuoted(text) }
    let isEnded = text.hasSuffix("\n")
    if isEnded { lines.removeLast() }
    let margin = String(repeating: "  ", count: max(1, level))
    return (isEnded ? "|" : "|-") + lines.map { $0.isEmpty ? "\n" : "\n" + margin + $0 }.joined()
  }
}
