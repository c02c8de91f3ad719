/// Metrics in Prometheus' text format 0.0.4.
struct PrometheusText {
  /// What the text is, for the answer's header.
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private let families: [MetricFamily]

  /// A writer of these metrics, in this order; what is not among them is not written.
  init(_ families: [MetricFamily]) { self.families = families }

  /// The text of values.
  func text(_ values: [MetricSeries: MetricStore.Value]) -> String {
    let byName = Dictionary(grouping: values) { $0.key.name }
    var text = ""
    for family in families {
      guard let series = byName[family.name], !series.isEmpty else { continue }
      text += "# HELP \(family.name) \(Self.escaped(family.help, quotes: false))\n"
      text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
      let sorted = series.map { (labels: Self.labels($0.key.labels), value: $0.value) }.sorted { $0.labels < $1.labels }
      for entry in sorted {
        switch entry.value {
        case .number(let number):
          text += family.name + Self.braced(entry.labels) + " \(Self.number(number))\n"
        case .histogram(let histogram): text += Self.text(family.name, entry.labels, histogram)
        }
      }
    }
    return text
  }

  private static func text(_ name: String, _ labels: String, _ histogram: Histogram) -> String {
    let prefix = labels.isEmpty ? "" : labels + ","
    var text = ""
    var total: UInt64 = 0
    for (bound, count) in zip(Histogram.bounds.map(number) + ["+Inf"], histogram.counts) {
      total += count
      text += "\(name)_bucket{\(prefix)le=\"\(bound)\"} \(total)\n"
    }
    text += "\(name)_sum\(braced(labels)) \(number(histogram.sum))\n"
    return text + "\(name)_count\(braced(labels)) \(total)\n"
  }

  private static func labels(_ labels: [MetricSeries.Label]) -> String {
    labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",")
  }

  private static func braced(_ labels: String) -> String { labels.isEmpty ? "" : "{\(labels)}" }

  /// A number without an exponent or a fraction where it has none.
  private static func number(_ value: Double) -> String {
    if let whole = Int64(exactly: value) { return String(whole) }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return value.isNaN ? "NaN" : value.description
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
