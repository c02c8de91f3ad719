import Datastore

/// How long to wait after failures in a row, and when to give up.
struct WatchFailures: Sendable {
  private var count = 0
  private var giveUp: Deadline?

  /// For how long a server may be away until a watch ends: who watches can tell people then, and begin again.
  private static let patienceMilliseconds: UInt64 = 60_000
  /// The first pause and the longest, in milliseconds.
  private static let first = 200
  private static let longest = 10_000

  init() {}

  /// Notes that the server answers.
  mutating func reset() {
    count = 0
    giveUp = nil
  }

  /// Notes a failure.
  ///
  /// - Returns: how long to wait, twice as long each time and never as long as others do; nil to give up.
  mutating func pause() -> Duration? {
    let limit = giveUp ?? .after(milliseconds: Self.patienceMilliseconds)
    giveUp = limit
    if limit.hasPassed { return nil }
    let pause = min(Self.longest, Self.first << min(count, 10))
    count += 1
    return .milliseconds(Int.random(in: pause / 2...pause))
  }
}
