/// Paths as text, without a look at the file system.
enum LexicalPath {
  /// `base/name` with `//`, `.` and `..` resolved by their text alone; relative stays relative.
  static func joined(_ base: String, _ name: String) -> String {
    let isAbsolute = base.utf8.first == UInt8(ascii: "/")
    var parts: [Substring] = []
    for part in base.split(separator: "/") + [name[...]] where part != "." {
      if part != ".." {
        parts.append(part)
      } else if let last = parts.last, last != ".." {
        parts.removeLast()
      } else if !isAbsolute {
        parts.append(part)
      }
    }
    return (isAbsolute ? "/" : "") + parts.joined(separator: "/")
  }

  /// The directory that holds `path`; nil for the root and for a single relative name.
  static func parent(of path: String) -> String? {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    if slash == path.startIndex { return path.utf8.count == 1 ? nil : "/" }
    return String(path[..<slash])
  }
}
