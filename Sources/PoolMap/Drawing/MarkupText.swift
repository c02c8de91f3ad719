import Terminal

/// Text of the datastore, made fit for HTML and SVG: anybody may have written it.
enum MarkupText {
  /// The text with control characters as `\x1b`, and with references for what markup is made of; fit for the content of
  /// elements and for attributes in quotes.
  static func of(_ text: String) -> String {
    var escaped = ""
    for scalar in PrintableText.of(text).unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// A text of at most so many characters, the last of which says that more was there.
  static func shortened(_ text: String, to length: Int) -> String {
    text.count <= length ? text : text.prefix(length - 1) + "…"
  }
}
