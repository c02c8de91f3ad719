#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A moment on the monotonic clock by which something must have ended.
public struct Deadline: Hashable, Comparable, Sendable {
  /// Nanoseconds of CLOCK_MONOTONIC.
  public let nanoseconds: UInt64

  public init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
  }

  /// Never.
  public static let distantFuture = Deadline(nanoseconds: .max)

  /// The moment at hand.
  public static var now: Deadline {
    var time = timespec()
    // With a clock that exists and a pointer that is valid the call cannot fail (clock_gettime(2)).
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Deadline(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }

  /// The moment some milliseconds from now.
  public static func after(milliseconds: UInt64) -> Deadline {
    let (sum, overflow) = now.nanoseconds.addingReportingOverflow(milliseconds &* 1_000_000)
    return overflow ? .distantFuture : Deadline(nanoseconds: sum)
  }

  public var hasPassed: Bool { Deadline.now >= self }

  /// Milliseconds until the deadline, 0 when it has passed.
  public var millisecondsLeft: UInt64 {
    let now = Deadline.now.nanoseconds
    return now >= nanoseconds ? 0 : (nanoseconds - now) / 1_000_000
  }

  public static func < (left: Deadline, right: Deadline) -> Bool { left.nanoseconds < right.nanoseconds }
}
