import CoreMetrics

/// Keeps what is measured through swift-metrics, for Prometheus to collect.
final class PrometheusFactory: MetricsFactory {
  private let store: MetricStore

  init(_ store: MetricStore) { self.store = store }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    SeriesHandler(store, MetricSeries(label, dimensions))
  }

  func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
    SeriesHandler(store, MetricSeries(label, dimensions))
  }

  func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    SeriesHandler(store, MetricSeries(label, dimensions))
  }

  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    let series = MetricSeries(label, dimensions)
    return aggregate ? DistributionHandler(store, series) : SeriesHandler(store, series)
  }

  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    DistributionHandler(store, MetricSeries(label, dimensions))
  }

  func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
  func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }
  func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }
  func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
  func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }

  private func destroy(_ handler: AnyObject) {
    if let handler = handler as? SeriesHandler { store.remove(handler.series) }
    if let handler = handler as? DistributionHandler { store.remove(handler.series) }
  }
}

/// A series that is one number.
private final class SeriesHandler: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler {
  let series: MetricSeries
  private let store: MetricStore

  init(_ store: MetricStore, _ series: MetricSeries) {
    self.store = store
    self.series = series
    store.declare(series, .number(0))
  }

  func increment(by amount: Int64) { increment(by: Double(amount)) }
  func increment(by amount: Double) { store.change(series) { $0 += amount } }
  func decrement(by amount: Double) { store.change(series) { $0 -= amount } }
  func reset() { set(0.0) }
  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { store.change(series) { $0 = value } }
  func record(_ value: Int64) { set(value) }
  func record(_ value: Double) { set(value) }
}

/// A series that is a distribution.
private final class DistributionHandler: RecorderHandler, TimerHandler {
  let series: MetricSeries
  private let store: MetricStore

  init(_ store: MetricStore, _ series: MetricSeries) {
    self.store = store
    self.series = series
    store.declare(series, .histogram(Histogram()))
  }

  func record(_ value: Int64) { record(Double(value)) }
  func record(_ value: Double) { store.record(value, series) }
  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
