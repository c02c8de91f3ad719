#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What can be told of a block from its text alone.
public enum BlockGlance {
  /// Whether a block has no address to give out, and none that might become free by cooling down.
  ///
  /// The texts looked for cannot stand inside a JSON string, where quotes are escaped. A block that is written with
  /// other white space is not recognised and has to be read.
  ///
  /// - Parameter document: the block as etcd and SQLite keep it.
  /// - Returns: true only when it is certain.
  public static func isFull(_ document: [UInt8]) -> Bool {
    contains(document, "\"unallocated\":[]") && !contains(document, "\"releasedAt\"")
  }

  private static func contains(_ document: [UInt8], _ text: StaticString) -> Bool {
    document.withUnsafeBytes { bytes in
      guard var place = bytes.baseAddress else { return false }
      let end = place + bytes.count
      while let found = memchr(place, Int32(text.utf8Start[1]), end - place) {
        let start = UnsafeRawPointer(found) - 1
        if start >= bytes.baseAddress ?? start, start + text.utf8CodeUnitCount <= end,
          memcmp(start, text.utf8Start, text.utf8CodeUnitCount) == 0
        {
          return true
        }
        place = start + 2
      }
      return false
    }
  }
}
