import CalicoModel
import Synchronization

/// One write of a plan.
struct StagedWrite {
  var change: Change
  var stage: Write.Stage
  /// What to write; nil deletes the entry.
  var bytes: [UInt8]?

  init(_ change: Change, _ stage: Write.Stage) {
    self.change = change
    self.stage = stage
    switch (stage, change.staged, change.final) {
    case (.staged, let staged, _): bytes = staged?.encoded()
    case (.final, _, .value(let value)): bytes = value.encoded()
    case (.final, _, .delete): bytes = nil
    }
  }
}

extension Plan {
  /// The writes of this plan in the order of the stages.
  fileprivate var stages: [StagedWrite] {
    let staged = changes.filter { $0.staged != nil }
    let direct = changes.filter { $0.staged == nil }
    return staged.map { StagedWrite($0, .staged) } + direct.map { StagedWrite($0, .final) }
      + staged.map { StagedWrite($0, .final) }
  }
}

extension InMemoryDatastore {
  private func fault(for write: StagedWrite) -> WriteFault {
    let hook = state.withLock { $0.faults }
    return hook?(PendingWrite(write)) ?? .proceed
  }

  private func unavailable(_ write: StagedWrite) -> DatastoreError {
    DatastoreError(.unavailable, "the store in memory cannot be reached to write \(write.change.key)")
  }

  func commitAsWhole(_ plan: Plan) throws(DatastoreError) -> Outcome {
    let writes = plan.changes.map { StagedWrite($0, .final) }
    var inDoubt: Write?
    for write in writes {
      let doubt = Write(write.change.key, .final, revision: nil)
      switch fault(for: write) {
      case .proceed: continue
      case .conflict: return .conflict(write.change.key, applied: [])
      case .cutOff: return .unknown(doubt, applied: [])
      case .answerLost: inDoubt = doubt
      case .unavailable: throw unavailable(write)
      }
      break
    }
    let outcome = mutate { $0.commit(writes) }
    guard let inDoubt, case .applied = outcome else { return outcome }
    return .unknown(inDoubt, applied: [])
  }

  func commitByStages(_ plan: Plan) throws(DatastoreError) -> Outcome {
    var applied: [Write] = []
    for write in plan.stages {
      let key = write.change.key
      let doubt = Write(key, write.stage, revision: nil)
      let fault = fault(for: write)
      switch fault {
      case .proceed, .answerLost: break
      case .conflict: return .conflict(key, applied: applied)
      case .cutOff: return .unknown(doubt, applied: applied)
      case .unavailable:
        // What is half made must be reported; an error would say that nothing was written.
        if applied.isEmpty { throw unavailable(write) }
        return .unknown(nil, applied: applied)
      }
      let own = applied.last { $0.key == key }?.revision
      let base = own.map { Base.revision($0) } ?? write.change.base
      guard let done = mutate({ $0.commit(write, base: base) }) else { return .conflict(key, applied: applied) }
      if fault == .answerLost { return .unknown(doubt, applied: applied) }
      applied.append(done)
    }
    let revisions = applied.filter { $0.stage == .final }.map { ($0.key, $0.revision) }
    return .applied(Dictionary(revisions) { $1 }.compactMapValues(\.self))
  }
}

extension InMemoryState {
  /// Makes all writes at one revision, or none.
  fileprivate mutating func commit(_ writes: [StagedWrite]) -> Outcome {
    for write in writes where !holds(write.change.base, at: EntryPath(write.change.key)) {
      return .conflict(write.change.key, applied: [])
    }
    guard !writes.isEmpty else { return .applied([:]) }
    revision += 1
    var revisions: [Key: Revision] = [:]
    for write in writes {
      self.write(write.bytes, at: EntryPath(write.change.key))
      revisions[write.change.key] = write.bytes.map { _ in Revision(revision) }
    }
    return .applied(revisions)
  }

  /// Makes one write at a revision of its own; nil when the entry is not what it must be.
  fileprivate mutating func commit(_ write: StagedWrite, base: Base) -> Write? {
    let path = EntryPath(write.change.key)
    guard holds(base, at: path) else { return nil }
    revision += 1
    self.write(write.bytes, at: path)
    return Write(write.change.key, write.stage, revision: write.bytes.map { _ in Revision(revision) })
  }

  private func holds(_ base: Base, at path: EntryPath) -> Bool {
    switch base {
    case .any: true
    case .absent: entries[path] == nil
    case .revision(let revision): entries[path]?.stored.revision == revision
    }
  }
}
