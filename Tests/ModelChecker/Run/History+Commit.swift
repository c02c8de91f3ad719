import CalicoModel
import Datastore

extension History {
  /// Makes the next write of a commit, or all of them when they are made as a whole.
  mutating func make(_ commit: Commit, of current: Running) throws(Violation) {
    if world.isAtomic {
      try makeWhole(commit, of: current)
    } else {
      try makeNext(commit, of: current)
    }
  }

  // MARK: - As a whole

  private mutating func makeWhole(_ commit: Commit, of current: Running) throws(Violation) {
    let writes = commit.writes.map { commit.compared($0) }
    var isWritten = false
    switch commit.fault {
    case .crash(at: 0): break
    case .lost(_, let isDone): isWritten = isDone
    case .delayed(_, let steps): delay(writes, current, steps)
    case .crash, nil: isWritten = true
    }
    if let fault = commit.fault { cutOff(commit.writes.indices, of: commit, current, fault) }
    let decision = isWritten ? try self.commit(writes, by: current.process.id, at: moment(of: current)) : nil
    switch (commit.fault, decision) {
    case (.crash, _): die(current)
    case (nil, .applied(_, let revisions)): try answer(.applied(revisions), current)
    case (nil, .conflict(let key)): try answer(.conflict(key, applied: []), current)
    case (.lost, _), (.delayed, _), (nil, nil): try answer(.unknown(nil, applied: []), current)
    }
  }

  // MARK: - Stage by stage

  private mutating func makeNext(_ commit: Commit, of current: Running) throws(Violation) {
    var commit = commit
    let place = commit.next
    guard place < commit.writes.count else { return try complete(commit, current) }
    let next = commit.writes[place]
    let write = commit.compared(next)
    let isHit = commit.fault?.position == place
    if let fault = commit.fault, isHit {
      cutOff(place..<(place + 1), of: commit, current, fault)
      switch fault {
      case .crash: return die(current)
      case .delayed(_, let steps): delay([write], current, steps)
      case .lost(_, let isWritten):
        if isWritten { _ = try self.commit([write], by: current.process.id, at: moment(of: current)) }
      }
      // The driver may or may not know which write it was.
      let lost = current.commits % 3 == 0 ? nil : Write(next.key, next.stage, revision: nil)
      return try answer(.unknown(lost, applied: commit.applied), current)
    }
    let decision = try self.commit([write], by: current.process.id, at: moment(of: current))
    guard case .applied(_, let revisions) = decision else {
      return try answer(.conflict(next.key, applied: commit.applied), current)
    }
    let revision = revisions[next.key]
    commit.applied.append(Write(next.key, next.stage, revision: revision))
    commit.revisions[next.key] = revision
    commit.next += 1
    guard commit.next < commit.writes.count || isCutOffAtEnd(commit) else { return try complete(commit, current) }
    current.state = .committing(commit)
  }

  private func isCutOffAtEnd(_ commit: Commit) -> Bool { commit.fault?.position ?? -1 >= commit.writes.count }

  private mutating func complete(_ commit: Commit, _ current: Running) throws(Violation) {
    if isCutOffAtEnd(commit) { return die(current) }
    var revisions: [Key: Revision] = [:]
    for write in commit.applied where write.stage == .final { revisions[write.key] = write.revision }
    try answer(.applied(revisions), current)
  }

  // MARK: - Writes

  private func moment(of current: Running) -> Oracle.Moment {
    Oracle.Moment(step: step, time: clock, planned: current.planned)
  }

  /// Has the store compare and write, everything or nothing, and the oracle look at what was done.
  mutating func commit(
    _ writes: [ComparedWrite], by process: Int, at moment: Oracle.Moment
  ) throws(Violation) -> ModelStore.Decision {
    if trace.isEnabled, store.conflict(writes) == nil {
      let verb = moment.isLate ? "writes late:" : "writes"
      for write in writes { trace.add { "\(process) \(verb) \(write.key.text) = \(Trace.text(write.value))" } }
    }
    let decision = try store.commit(writes)
    if case .applied(let events, _) = decision {
      self.writes += events.count
      try oracle.observe(events, by: process, at: moment, in: store)
    }
    return decision
  }

  /// Writes what no process does, and nobody checks.
  mutating func configure(_ key: Key, _ value: Value) throws(Violation) {
    _ = try store.commit([ComparedWrite(key: key, base: .any, value: value)])
  }

  private mutating func delay(_ writes: [ComparedWrite], _ current: Running, _ steps: Int) {
    let deletions = writes.map { store.deletions[$0.key, default: 0] }
    lateWrites.append(
      LateWrite(
        process: current.process.id, writes: writes, deletions: deletions, step: step + steps,
        planned: current.planned))
  }

  private mutating func die(_ current: Running) {
    trace.add { [id = current.process.id] in "\(id) dies" }
    current.state = .ended
  }

  private mutating func cutOff(_ places: Range<Int>, of commit: Commit, _ current: Running, _ fault: Fault) {
    trace.add { [id = current.process.id] in "\(id) is cut off: \(fault)" }
    for place in places {
      coverage.cutOff(
        WritePosition(
          commit.writes[place], place, of: commit, current.process.action.name, isAtomic: world.isAtomic))
    }
  }
}
