/// When a source of routes looks, and how long it waits.
public struct RouteSourceOptions: Sendable {
  /// How often all blocks are listed to find borrowed addresses, give or take a fifth so that the agents of a cluster do
  /// not do it at once; nil for never.
  public var listingInterval: Duration? = .seconds(300)
  /// How many blocks are read at once when they are listed.
  public var pageSize = 64
  /// How long one exchange with the datastore may last, in milliseconds.
  public var readMilliseconds: UInt64 = 30_000
  /// The pause after a first failure; it doubles with each further one.
  public var firstPause: Duration = .seconds(1)
  /// The longest pause.
  public var longestPause: Duration = .seconds(60)
  /// Waits.
  public var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  /// A number between the two, for jitter.
  public var random: @Sendable (ClosedRange<Double>) -> Double = { Double.random(in: $0) }

  public init() {}
}

/// How long to wait after failures: longer each time, and never as long as others that failed at the same moment.
struct RetryPause {
  private let options: RouteSourceOptions
  private var next: Duration

  init(_ options: RouteSourceOptions) {
    self.options = options
    next = options.firstPause
  }

  /// The pause after one more failure.
  mutating func take() -> Duration {
    defer { next = min(next * 2, options.longestPause) }
    return next * options.random(0.8...1.2)
  }

  /// Begins again with the shortest.
  mutating func reset() { next = options.firstPause }
}
