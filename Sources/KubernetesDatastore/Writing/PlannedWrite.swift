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

  /// What may be written at the same time: see ``Plan/steps``.
  fileprivate enum Turn: Equatable {
    case block
    case beside
    case alone
  }

  fileprivate var turn: Turn {
    switch key {
    case .block: .block
    case .affinity, .handle: .beside
    case .configuration, .host, .resource: .alone
    }
  }
}

extension Plan {
  /// The writes of this plan, stage by stage; those of one step depend on no other of it, and may be made at once.
  ///
  /// A step ends where blocks begin or end: before a block is written, its handle counts its addresses and its affinity
  /// is pending; and only when it is written, an affinity becomes confirmed or is deleted, and a handle counts less
  /// (Calico IPAM specification, section 6). Among affinities and handles, and among blocks, no order matters: whatever
  /// part of them a crash leaves is one that each of them alone could leave. Resources are written one by one.
  var steps: [[PlannedWrite]] {
    let staged = changes.filter { $0.staged != nil }
    var writes = staged.map { PlannedWrite(key: $0.key, stage: .staged, base: $0.base, value: $0.staged) }
    for change in changes.filter({ $0.staged == nil }) + staged {
      let value: Value? = if case .value(let value) = change.final { value } else { nil }
      writes.append(PlannedWrite(key: change.key, stage: .final, base: change.base, value: value))
    }
    var steps: [[PlannedWrite]] = []
    for write in writes {
      if let last = steps.last?.last, last.turn == write.turn, write.turn != .alone,
        steps.last?.contains(where: { $0.key == write.key }) == false
      {
        steps[steps.count - 1].append(write)
      } else {
        steps.append([write])
      }
    }
    return steps
  }
}
