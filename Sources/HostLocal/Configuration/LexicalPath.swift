/// Paths as text, without a look at the file system.
enum LexicalPath {
  /// `base/name` with `//`, `.` and `..` resolved by their text alone; relative stays relative.
  static func joined(_ base: String, _ name: String) -> String {
    let isAbsolute = base.utf8.first == UInt8(ascii: "/")
    var parts: [Substring.UTF8View] = []
    // By bytes: a slash divides even where it and a combining mark behind it are one character.
    for part in base.utf8.split(separator: UInt8(ascii: "/")) + [Substring(name).utf8]
    where !part.elementsEqual(".".utf8) {
      if !part.elementsEqual("..".utf8) {
        parts.append(part)
      } else if let last = parts.last, !last.elementsEqual("..".utf8) {
        parts.removeLast()
      } else if !isAbsolute {
        parts.append(part)
      }
    }
    var path = isAbsolute ? "/" : ""
    for (index, part) in parts.enumerated() {
      if index > 0 { path += "/" }
      path += Substring(part)
    }
    return path
  }

  /// The directory that holds `path`; nil for the root and for a single relative name.
  static func parent(of path: String) -> String? {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    if slash == path.startIndex { return path.utf8.count == 1 ? nil : "/" }
    return String(path[..<slash])
  }
}
