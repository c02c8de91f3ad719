/// A history in which a rule was broken, made as short as it could be.
public struct Failure: Error, Sendable, CustomStringConvertible {
  /// The seed of the history that was found.
  public let seed: UInt64
  /// The writes that the history was to cut off, without which the seed gives another one.
  public let targets: [WritePosition]
  public let violation: Violation
  /// How many operations, and faults, are left.
  public let operations: Int
  public let faults: Int
  /// What happens, step by step.
  public let trace: [String]

  public var description: String {
    var text = "\(violation.rule.rawValue): \(violation.description)\n"
    text += "check-model --histories 1 --seed \(seed)"
    for target in targets { text += " --cut '\(target)'" }
    text += "\n\(operations) operations, \(faults) faults:\n"
    for (index, line) in trace.enumerated() { text += "\(index + 1). \(line)\n" }
    return text
  }
}
