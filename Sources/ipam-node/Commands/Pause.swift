#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Waiting, for commands that have nothing else to do.
enum Pause {
  /// Waits until a moment; a signal may end it early, and the caller looks at everything again.
  static func until(_ moment: ContinuousClock.Instant) {
    let (seconds, attoseconds) = max(.zero, moment - .now).components
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    nanosleep(&time, nil)
  }
}
