import Netlink

/// A point in time, on a clock that never goes back.
public typealias Moment = ContinuousClock.Instant

/// Growing pauses between attempts: one second, then twice as long each time, with a bound.
enum Backoff {
  static func pause(afterFailures failures: Int, atMost limit: Duration = .seconds(60)) -> Duration {
    min(.seconds(1 << min(max(failures - 1, 0), 10)), limit)
  }
}

/// An attempt that the kernel refused, and when the next one is due (routes specification, R-25).
struct FailedAttempt: Sendable {
  var errno: Int32
  var failures: Int
  /// Nil when only something else than time can help: a link, an address, another value.
  var retryAt: Moment?
  /// What was refused; another value is tried at once.
  var value: RouteValue?
  /// Whether the pause is over, and nothing but the route itself stands in the way of another attempt.
  var isOpen = false
}

/// How often somebody else changed a route of ours lately (section 2.5).
struct Disturbance: Sendable {
  /// At most the last three.
  private var moments: [Moment] = []
  private var backoffs = 0
  /// Until when the other one has its way.
  private(set) var quietUntil: Moment?

  private static let window: Duration = .seconds(10)

  /// Notes another one; true when it is one too many, and a pause begins.
  mutating func note(at now: Moment) -> Bool {
    if let quietUntil, quietUntil > now { return false }
    if let last = moments.last, last + .seconds(60) < now { backoffs = 0 }
    moments = moments.filter { $0 + Self.window >= now }.suffix(2) + [now]
    guard moments.count == 3 else { return false }
    quietUntil = now + Backoff.pause(afterFailures: backoffs + 1)
    backoffs += 1
    return true
  }

  /// When nothing more has to be remembered, if nothing more happens.
  var forgottenAt: Moment? {
    guard let last = moments.last else { return nil }
    return max(last + Self.window, (quietUntil ?? last) + Self.window)
  }
}
