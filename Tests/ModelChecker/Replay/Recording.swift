import CalicoModel
import Datastore

/// What reached the store in a history, in its order, what became of it, and what was there at the end.
public struct Recording: Sendable {
  public let seed: UInt64
  /// Whether plans were committed as a whole; otherwise every write is a commit of its own.
  public let isAtomic: Bool
  let commits: [DecidedCommit]
  let entries: [Key: Stored]

  /// Runs a history.
  ///
  /// - Parameters:
  ///   - seed: the history's seed.
  ///   - operations: how many operations it has.
  /// - Throws: ``Violation`` when the history breaks a rule.
  public init(seed: UInt64, operations: Int = 30) throws(Violation) {
    var history = History(Director(seed: seed, operations: operations), isRecorded: true)
    if let violation = history.run() { throw violation }
    self.seed = seed
    isAtomic = history.world.isAtomic
    commits = history.store.record ?? []
    entries = history.store.entries.mapValues(\.stored)
  }
}
