/// What is known of a metric beside its values.
struct MetricFamily: Hashable, Sendable {
  enum Kind: String, Hashable, Sendable {
    case counter
    case gauge
    case histogram
  }

  let name: String
  let kind: Kind
  /// One line for people.
  let help: String
}

/// One series of a metric: its name and its labels, in the order of the labels' names.
struct MetricSeries: Hashable, Sendable {
  let name: String
  let labels: [Label]

  struct Label: Hashable, Sendable {
    let name: String
    let value: String
  }

  init(_ name: String, _ dimensions: [(String, String)]) {
    self.name = name
    labels = dimensions.map { Label(name: $0.0, value: $0.1) }.sorted { $0.name < $1.name }
  }
}
