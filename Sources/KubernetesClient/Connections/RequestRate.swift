import Datastore
import Synchronization

/// Keeps requests below a rate: a bucket that fills steadily, and from which each request takes one.
final class RequestRate: Sendable {
  private struct Bucket {
    var level: Double
    var filledAt: UInt64
  }

  private let perSecond: Double
  private let burst: Double
  private let bucket: Mutex<Bucket>
  private let now: @Sendable () -> UInt64

  /// A limit.
  ///
  /// - Parameters:
  ///   - perSecond: requests a second on the average; 0 or less for no limit.
  ///   - burst: how many may go at once.
  ///   - now: the monotonic clock.
  init(perSecond: Double, burst: Int, now: @escaping @Sendable () -> UInt64 = { Deadline.now.nanoseconds }) {
    self.perSecond = perSecond
    self.burst = Double(max(1, burst))
    self.now = now
    bucket = Mutex(Bucket(level: Double(max(1, burst)), filledAt: now()))
  }

  /// Takes a place in the queue.
  ///
  /// - Returns: how many nanoseconds to wait before the request may go; nil when that is not before the deadline, and
  ///   no place was taken.
  func reserve(deadline: Deadline) -> UInt64? {
    guard perSecond > 0 else { return 0 }
    let time = now()
    return bucket.withLock { bucket in
      let seconds = Double(time - min(time, bucket.filledAt)) / 1e9
      let level = min(burst, bucket.level + seconds * perSecond) - 1
      let wait = level >= 0 ? 0 : UInt64(-level / perSecond * 1e9)
      let (start, overflow) = time.addingReportingOverflow(wait)
      guard !overflow, start <= deadline.nanoseconds else { return nil }
      bucket = Bucket(level: level, filledAt: time)
      return wait
    }
  }
}
