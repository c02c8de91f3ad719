import CoreMetrics
import Testing

@testable import ipam_node

@Suite("Metrics")
struct PrometheusTests {
  private let store = MetricStore()
  private let families = [
    MetricFamily(name: "a_total", kind: .counter, help: "Back\\slash\nand line."),
    MetricFamily(name: "b", kind: .gauge, help: "B."),
    MetricFamily(name: "c_seconds", kind: .histogram, help: "C."),
    MetricFamily(name: "never", kind: .gauge, help: "Not measured."),
  ]

  private var factory: PrometheusFactory { PrometheusFactory(store) }

  private var text: String { PrometheusText(families).text(store.snapshot()) }

  @Test("are written in the order of the table, series sorted, text escaped")
  func format() {
    Gauge(label: "b", dimensions: [("z", "1"), ("family", "v6")], factory: factory).record(-1.5)
    Gauge(label: "b", dimensions: [("family", "v4\"\\\n"), ("z", "1")], factory: factory).record(7)
    let counter = Counter(label: "a_total", factory: factory)
    counter.increment(by: 2)
    counter.increment()
    Counter(label: "unknown", factory: factory).increment()
    #expect(
      text == #"""
        # HELP a_total Back\\slash\nand line.
        # TYPE a_total counter
        a_total 3
        # HELP b B.
        # TYPE b gauge
        b{family="v4\"\\\n",z="1"} 7
        b{family="v6",z="1"} -1.5

        """#)
  }

  @Test("a counter is told of before it counted anything")
  func zero() {
    _ = Counter(label: "a_total", factory: factory)
    #expect(text.hasSuffix("a_total 0\n"))
  }

  @Test("durations are told as a histogram in seconds, buckets cumulative")
  func histogram() {
    let timer = Timer(label: "c_seconds", dimensions: [("k", "v")], factory: factory)
    for nanoseconds: Int64 in [500_000, 500_001, 20_000_000_000] { timer.recordNanoseconds(nanoseconds) }
    let lines = text.split(separator: "\n")
    #expect(lines.contains(#"c_seconds_bucket{k="v",le="0.0005"} 1"#))
    #expect(lines.contains(#"c_seconds_bucket{k="v",le="0.001"} 2"#))
    #expect(lines.contains(#"c_seconds_bucket{k="v",le="10"} 2"#))
    #expect(lines.contains(#"c_seconds_bucket{k="v",le="+Inf"} 3"#))
    #expect(lines.contains(#"c_seconds_count{k="v"} 3"#))
    #expect(lines.contains { $0.hasPrefix(#"c_seconds_sum{k="v"} 20.001"#) })
  }

  @Test("a destroyed series is gone")
  func destruction() {
    let gauge = Gauge(label: "b", factory: factory)
    gauge.record(1)
    gauge.destroy()
    #expect(text == "")
  }

  @Test("made twice, a series is one")
  func sameSeries() {
    Counter(label: "a_total", dimensions: [("x", "1"), ("y", "2")], factory: factory).increment()
    Counter(label: "a_total", dimensions: [("y", "2"), ("x", "1")], factory: factory).increment()
    #expect(text.hasSuffix("a_total{x=\"1\",y=\"2\"} 2\n"))
  }
}
