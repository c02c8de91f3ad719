import CalicoModel
import Datastore

/// One write of a plan.
struct PlannedWrite: Sendable {
  var key: Key
  var stage: Write.Stage
  var base: Base
  /// What to write; nil to delete.
  var value: Value?

  /// The write, when it is not known whether it was made.
  var inDoubt: Write { Write(key, stage, revision: nil) }

  var isOfBlock: Bool { if case .block = key { true } else { false } }

  /// Whether this may be written at the same time as others of a step, none of which is of the same entry.
  fileprivate func mayJoin(_ step: [PlannedWrite]) -> Bool {
    guard let first = step.first, !step.contains(where: { $0.key == key }) else { return false }
    switch (key, first.key) {
    case (.block, .block): return true
    case (.affinity, .affinity): return stage == first.stage && value != nil
    // A claim announces itself and counts its addresses before it makes the block.
    case (.handle, .affinity): return first.stage == .staged && value != nil
    default: return false
    }
  }
}

extension Plan {
  /// The writes of this plan, stage by stage; those of one step depend on no other of it, and are made at once.
  ///
  /// Before a block is written, its handle counts its addresses and its affinity is pending; only when it is written, an
  /// affinity becomes confirmed or is deleted, and a handle counts less (Calico IPAM specification, section 6). So what
  /// announces claims goes together, blocks go together, and what confirms claims does. Whatever part of a step a crash or
  /// a conflict leaves is one that each write alone could leave. All others are written one by one.
  var steps: [[PlannedWrite]] {
    let staged = changes.filter { $0.staged != nil }
    var writes = staged.map { PlannedWrite(key: $0.key, stage: .staged, base: $0.base, value: $0.staged) }
    for change in changes.filter({ $0.staged == nil }) + staged {
      let value: Value? = if case .value(let value) = change.final { value } else { nil }
      writes.append(PlannedWrite(key: change.key, stage: .final, base: change.base, value: value))
    }
    var steps: [[PlannedWrite]] = []
    for write in writes {
      if let last = steps.last, write.mayJoin(last) {
        steps[steps.count - 1].append(write)
      } else {
        steps.append([write])
      }
    }
    return steps
  }
}
