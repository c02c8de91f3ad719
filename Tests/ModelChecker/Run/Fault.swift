import CalicoModel
import Datastore

/// A commit of a history: the how manieth of which process.
struct CommitPoint: Hashable, Sendable {
  var process: Int
  var commit: Int
}

/// What goes wrong with a commit. Writes are counted from 0; an atomic commit has one.
enum Fault: Hashable, Sendable {
  /// The process dies before a write; the number of writes stands for after the last.
  case crash(at: Int)
  /// A write's answer is lost.
  case lost(at: Int, isWritten: Bool)
  /// A write's answer is lost, and it is done some steps later if its comparison still holds.
  case delayed(at: Int, steps: Int)

  var position: Int {
    switch self {
    case .crash(let position), .lost(let position, _), .delayed(let position, _): position
    }
  }
}

/// One write of a commit, as a driver makes it.
struct PlannedWrite: Sendable {
  var change: Int
  var key: Key
  var stage: Write.Stage
  /// Nil to delete the entry.
  var value: Value?
}

/// A commit that is being made.
struct Commit: Sendable {
  let plan: Plan
  let writes: [PlannedWrite]
  let fault: Fault?
  var next = 0
  var applied: [Write] = []
  var revisions: [Key: Revision] = [:]

  init(_ plan: Plan, isAtomic: Bool, fault: Fault?) {
    self.plan = plan
    self.fault = fault
    writes = Self.writes(of: plan, isAtomic: isAtomic)
  }

  /// The writes in the order in which they are made (see `Plan`).
  static func writes(of plan: Plan, isAtomic: Bool) -> [PlannedWrite] {
    var writes: [PlannedWrite] = []
    let final = { (index: Int) in
      let change = plan.changes[index]
      var value: Value?
      if case .value(let final) = change.final { value = final }
      writes.append(PlannedWrite(change: index, key: change.key, stage: .final, value: value))
    }
    guard !isAtomic else {
      plan.changes.indices.forEach(final)
      return writes
    }
    for (index, change) in plan.changes.enumerated() where change.staged != nil {
      writes.append(PlannedWrite(change: index, key: change.key, stage: .staged, value: change.staged))
    }
    plan.changes.indices.filter { plan.changes[$0].staged == nil }.forEach(final)
    plan.changes.indices.filter { plan.changes[$0].staged != nil }.forEach(final)
    return writes
  }

  /// A write with what it compares with: the plan's base, or what this commit's own earlier write left.
  func compared(_ write: PlannedWrite) -> ComparedWrite {
    let base = revisions[write.key].map { .revision($0) } ?? plan.changes[write.change].base
    return ComparedWrite(key: write.key, base: base, value: write.value)
  }
}
