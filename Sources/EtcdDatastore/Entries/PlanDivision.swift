import CalicoModel
import Datastore

/// One write of a transaction.
struct PlannedWrite {
  var key: Key
  var path: [UInt8]
  var base: Base
  var stage: Write.Stage
  /// What to write; nil deletes the entry.
  var bytes: [UInt8]?

  init(_ change: Change, _ stage: Write.Stage = .final) {
    key = change.key
    path = Array(KeyPath.path(of: change.key).utf8)
    base = change.base
    self.stage = stage
    switch (stage, change.staged, change.final) {
    case (.staged, let staged, _): bytes = staged?.encoded()
    case (.final, _, .value(let value)): bytes = value.encoded()
    case (.final, _, .delete): bytes = nil
    }
  }

  /// About how much it adds to a request, with its comparison.
  var size: Int { 3 * path.count + (bytes?.count ?? 0) + 64 }
}

/// The transactions in which a plan is made: mostly one.
///
/// A plan that is too large for one is divided between groups of entries that only make sense together, a block with its
/// affinity and its handles, in the order of the plan. A group that is too large by itself is made as a store without
/// transactions would make it, stage by stage (`Plan`), many writes at a time.
struct PlanDivision {
  private(set) var transactions: [[PlannedWrite]] = []

  static let maximumOperations = RangeReader.maximumOperations
  /// A server refuses a request of more than 1.5 MiB unless it was told otherwise.
  static let maximumBytes = 1 << 20

  private var size = 0
  private var keys: Set<Key> = []

  init(_ plan: Plan) {
    let writes = plan.changes.map { PlannedWrite($0) }
    if Self.fits(writes) {
      transactions = writes.isEmpty ? [] : [writes]
      return
    }
    for group in EntryGroups(plan).groups {
      let together = group.map { writes[$0] }
      if Self.fits(together) {
        append(together)
      } else {
        let changes = group.map { plan.changes[$0] }
        let staged = changes.filter { $0.staged != nil }
        let direct = changes.filter { $0.staged == nil }
        for change in staged { append([PlannedWrite(change, .staged)]) }
        for change in direct + staged { append([PlannedWrite(change)]) }
      }
    }
  }

  private static func fits(_ writes: [PlannedWrite]) -> Bool {
    writes.count <= maximumOperations && writes.reduce(0) { $0 + $1.size } <= maximumBytes
  }

  /// Adds writes that belong together to the last transaction, or to a new one.
  private mutating func append(_ writes: [PlannedWrite]) {
    let added = writes.reduce(0) { $0 + $1.size }
    let isRoomy =
      if let last = transactions.last {
        last.count + writes.count <= Self.maximumOperations && size + added <= Self.maximumBytes
          && writes.allSatisfy { !keys.contains($0.key) }
      } else {
        false
      }
    if isRoomy {
      transactions[transactions.count - 1] += writes
      size += added
    } else {
      transactions.append(writes)
      size = added
      keys = []
    }
    keys.formUnion(writes.map(\.key))
  }
}
