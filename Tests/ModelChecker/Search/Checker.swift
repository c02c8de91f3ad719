/// Runs histories one after the other, and stops at the first that breaks a rule.
public struct Checker: Sendable {
  /// How many operations a history has.
  public var operations: Int
  /// A mistake to be found.
  public var bug: PlantedBug?
  public private(set) var coverage = Coverage()

  public init(operations: Int = 30, bug: PlantedBug? = nil) {
    self.operations = operations
    self.bug = bug
  }

  /// Runs one history for each seed.
  ///
  /// - Parameters:
  ///   - seeds: the seeds.
  ///   - targets: writes that are cut off too seldom; each history goes for one of them.
  /// - Returns: the first history that broke a rule, shortened; nil when none did.
  public mutating func run(_ seeds: Range<UInt64>, targets: [WritePosition] = []) -> Failure? {
    for seed in seeds {
      let target = targets.isEmpty ? nil : targets[Int(seed % UInt64(targets.count))]
      if let failure = run(seed, target: target) { return failure }
    }
    return nil
  }

  /// Runs one history.
  ///
  /// - Parameters:
  ///   - seed: the history's seed.
  ///   - target: a write that is cut off rather than others.
  /// - Returns: the history, shortened, if it broke a rule.
  public mutating func run(_ seed: UInt64, target: WritePosition?) -> Failure? {
    var history = History(Director(seed: seed, operations: operations, cuttingOff: target), bug: bug)
    let violation = history.run()
    coverage.merge(history.coverage)
    guard let violation else { return nil }
    var shrinker = Shrinker(history.director.script, violation.rule, bug: bug)
    shrinker.shrink()
    let script = shrinker.script
    var last = History(Director(replaying: script), bug: bug, isTraced: true)
    let shortened = last.run()
    return Failure(
      seed: seed, target: target, violation: shortened ?? violation, operations: script.processes.count,
      faults: script.faults.count + script.crashes.count, trace: last.trace.lines)
  }
}
