import CalicoModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The clock of the wall.
enum TimeOfDay {
  /// Now.
  static func now() -> Timestamp {
    var time = timespec()
    // With a clock that exists and a pointer that is valid the call cannot fail (clock_gettime(2)).
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// Now, in UTC, to the millisecond (RFC 3339).
  static func text() -> String {
    let parts = now().logText.split(separator: " ", maxSplits: 1)
    return parts.joined(separator: "T") + "Z"
  }
}
