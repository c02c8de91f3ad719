/// Network namespaces that are kept alive by a mount, as runtimes and `ip netns` do, wherever that is.
struct NamespaceMounts {
  /// A mounted namespace.
  struct Mount: Hashable {
    /// The namespace's inode number, which is what it is called elsewhere: `net:[4026532178]`.
    let inode: UInt64
    /// Where it is mounted, as whoever mounted it calls the place.
    let path: String
  }

  /// The mounts in a file `/proc/<pid>/mountinfo`; see proc_pid_mountinfo(5).
  ///
  /// ```
  /// 67 42 0:4 net:[4026532178] /run/netns/web rw shared:3 - nsfs nsfs rw
  /// ```
  static func mounts(mountInfo bytes: [UInt8]) -> [Mount] {
    bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let words = String(decoding: line, as: UTF8.self).split(separator: " ")
      guard words.count > 5, words[3].hasPrefix("net:["), words[3].hasSuffix("]"),
        let inode = UInt64(words[3].dropFirst(5).dropLast())
      else { return nil }
      return Mount(inode: inode, path: unescaped(words[4]))
    }
  }

  /// A path with `\040` and the like resolved.
  private static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(3), as: UTF8.self)
      if byte == UInt8(ascii: "\\"), let value = UInt8(digits, radix: 8), digits.utf8.count == 3 {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
