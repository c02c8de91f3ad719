import Terminal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Waiting between two looks.
enum Pause {
  /// Waits the whole time, signals or not, and says how long it still is when a terminal looks on.
  static func seconds(_ count: UInt32) {
    defer { ProgressLine.ofProcess.erase() }
    for rest in stride(from: count, to: 0, by: -1) {
      ProgressLine.ofProcess.show("looking again in \(rest) s")
      // A signal that interrupts the sleep leaves less of a second, which is slept as well.
      var second: UInt32 = 1
      while second > 0 { second = sleep(second) }
    }
  }
}
