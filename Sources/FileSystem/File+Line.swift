#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension File {
  /// The first line of a small file, such as the kernel makes up as it is read: opened, read once, and closed.
  ///
  /// - Parameter path: the file.
  /// - Returns: the line without its end; empty when there is no such file, or it cannot be read.
  public static func firstLine(of path: String) -> String {
    // Who asks has no use for the reason: a file that is missing says as little as an empty one.
    guard let file = try? open(path, O_RDONLY), let bytes = try? contents(of: file, limit: 512) else { return "" }
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
