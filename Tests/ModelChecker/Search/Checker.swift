/// Runs histories one after the other, and stops at the first that breaks a rule.
public struct Checker: Sendable {
  /// How many operations a history has.
  public var operations: Int
  /// A mistake to be found.
  public var bug: PlantedBug?
  /// How many writes a history goes for.
  private static let targetsPerHistory = 12
  public private(set) var coverage = Coverage()

  public init(operations: Int = 30, bug: PlantedBug? = nil) {
    self.operations = operations
    self.bug = bug
  }

  /// Runs one history for each seed.
  ///
  /// - Parameters:
  ///   - seeds: the seeds.
  ///   - targets: writes that are cut off too seldom; each history goes for some of them.
  /// - Returns: the first history that broke a rule, shortened; nil when none did.
  public mutating func run(_ seeds: Range<UInt64>, targets: [WritePosition] = []) -> Failure? {
    for seed in seeds {
      if let failure = run(seed, cuttingOff: Self.part(of: targets, seed)) { return failure }
    }
    return nil
  }

  /// The targets of one history.
  private static func part(of targets: [WritePosition], _ seed: UInt64) -> [WritePosition] {
    guard targets.count > targetsPerHistory else { return targets }
    let first = Int(seed % UInt64(targets.count))
    return (0..<targetsPerHistory).map { targets[(first + $0) % targets.count] }
  }

  /// Runs one history.
  ///
  /// - Parameters:
  ///   - seed: the history's seed.
  ///   - targets: writes that are cut off rather than others.
  /// - Returns: the history, shortened, if it broke a rule.
  public mutating func run(_ seed: UInt64, cuttingOff targets: [WritePosition]) -> Failure? {
    var history = History(Director(seed: seed, operations: operations, cuttingOff: targets), bug: bug)
    let violation = history.run()
    coverage.merge(history.coverage)
    guard let violation else { return nil }
    var shrinker = Shrinker(history.director.script, violation.rule, bug: bug)
    shrinker.shrink()
    let script = shrinker.script
    var last = History(Director(replaying: script), bug: bug, isTraced: true)
    let shortened = last.run()
    return Failure(
      seed: seed, targets: targets, violation: shortened ?? violation, operations: script.processes.count,
      faults: script.faults.count + script.crashes.count, trace: last.trace.lines)
  }
}
