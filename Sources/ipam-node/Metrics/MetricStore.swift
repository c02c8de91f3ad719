import Synchronization

/// The values of all metrics of this process.
final class MetricStore: Sendable {
  /// The value of one series.
  enum Value: Hashable, Sendable {
    case number(Double)
    case histogram(Histogram)
  }

  private let series = Mutex<[MetricSeries: Value]>([:])

  /// Changes a number, which is 0 before anybody touched it.
  func change(_ key: MetricSeries, _ change: (inout Double) -> Void) {
    series.withLock { series in
      var number = 0.0
      if case .number(let present)? = series[key] { number = present }
      change(&number)
      series[key] = .number(number)
    }
  }

  /// Adds a value to a distribution.
  func record(_ value: Double, _ key: MetricSeries) {
    series.withLock { series in
      var histogram = Histogram()
      if case .histogram(let present)? = series[key] { histogram = present }
      histogram.record(value)
      series[key] = .histogram(histogram)
    }
  }

  /// Makes sure that a series is told of, with nothing in it, before anything happens.
  func declare(_ key: MetricSeries, _ value: Value) {
    series.withLock { series in
      if series[key] == nil { series[key] = value }
    }
  }

  func remove(_ key: MetricSeries) {
    series.withLock { _ = $0.removeValue(forKey: key) }
  }

  /// Everything, as it is at one moment.
  func snapshot() -> [MetricSeries: Value] { series.withLock { $0 } }
}

/// How values are distributed: durations, in seconds.
struct Histogram: Hashable, Sendable {
  /// From half a millisecond, less than any pass takes, to ten seconds, when an exchange with the kernel is given up.
  static let bounds: [Double] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

  /// How many values were at most as large as a bound and larger than the one before; the last: larger than all.
  private(set) var counts = [UInt64](repeating: 0, count: Self.bounds.count + 1)
  private(set) var sum = 0.0

  var count: UInt64 { counts.reduce(0, +) }

  mutating func record(_ value: Double) {
    counts[Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count] += 1
    sum += value
  }
}
