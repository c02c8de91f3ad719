#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Waiting between two looks.
enum Pause {
  /// Waits the whole time, signals or not.
  static func seconds(_ count: UInt32) {
    var rest = count
    while rest > 0 { rest = sleep(rest) }
  }
}
