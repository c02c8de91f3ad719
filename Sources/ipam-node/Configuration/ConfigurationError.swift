/// Why the agent cannot be configured as it was told: everything that is wrong, not the first thing alone.
struct ConfigurationError: Error, Hashable, CustomStringConvertible {
  /// Each names the place, the key, the value, and what there should be.
  let problems: [String]

  var description: String {
    guard problems.count > 1 else { return problems.first ?? "" }
    return "\(problems.count) problems:\n" + problems.map { "  " + $0 }.joined(separator: "\n")
  }
}
