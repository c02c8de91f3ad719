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
    let conflict = commit.writes.first { !store.holds(commit.base(of: $0), $0.key) }
    var isWritten = false
    switch commit.fault {
    case .crash(at: 0): break
    case .lost(_, let isDone): isWritten = isDone
    case .delayed(_, let steps): delay(commit.writes, of: commit, current, steps)
    case .crash, nil: isWritten = true
    }
    if let fault = commit.fault { cutOff(commit.writes.indices, of: commit, current, fault) }
    var revisions: [Key: Revision] = [:]
    if isWritten, conflict == nil {
      var events: [ModelStore.Event] = []
      for write in commit.writes {
        let (event, revision) = try self.write(write, current)
        events.append(event)
        revisions[write.key] = revision
      }
      try oracle.observe(events, by: current.process.id, at: moment(of: current), in: store)
    }
    switch commit.fault {
    case .crash: die(current)
    case .lost, .delayed: try answer(.unknown(nil, applied: []), current)
    case nil:
      let outcome = conflict.map { Outcome.conflict($0.key, applied: []) } ?? .applied(revisions)
      try answer(outcome, current)
    }
  }

  // MARK: - Stage by stage

  private mutating func makeNext(_ commit: Commit, of current: Running) throws(Violation) {
    var commit = commit
    let place = commit.next
    guard place < commit.writes.count else { return try complete(commit, current) }
    let next = commit.writes[place]
    let base = commit.base(of: next)
    let isHit = commit.fault?.position == place
    if let fault = commit.fault, isHit {
      cutOff(place..<(place + 1), of: commit, current, fault)
      switch fault {
      case .crash: return die(current)
      case .delayed(_, let steps): delay([next], of: commit, current, steps)
      case .lost(_, let isWritten):
        if isWritten, store.holds(base, next.key) { _ = try writeAndCheck(next, current) }
      }
      // The driver may or may not know which write it was.
      let lost = current.commits % 3 == 0 ? nil : Write(next.key, next.stage, revision: nil)
      return try answer(.unknown(lost, applied: commit.applied), current)
    }
    guard store.holds(base, next.key) else {
      return try answer(.conflict(next.key, applied: commit.applied), current)
    }
    let revision = try writeAndCheck(next, current)
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

  private mutating func write(
    _ write: PlannedWrite, _ current: Running
  ) throws(Violation) -> (event: ModelStore.Event, revision: Revision?) {
    writes += 1
    trace.add { "\(current.process.id) writes \(write.key.text) = \(Trace.text(write.value))" }
    return try store.write(write.key, write.value)
  }

  private mutating func writeAndCheck(_ next: PlannedWrite, _ current: Running) throws(Violation) -> Revision? {
    let (event, revision) = try write(next, current)
    try oracle.observe([event], by: current.process.id, at: moment(of: current), in: store)
    return revision
  }

  private mutating func delay(_ writes: [PlannedWrite], of commit: Commit, _ current: Running, _ steps: Int) {
    let late = writes.map {
      (key: $0.key, base: commit.base(of: $0), value: $0.value, deletions: store.deletions[$0.key, default: 0])
    }
    lateWrites.append(
      LateWrite(process: current.process.id, writes: late, step: step + steps, planned: current.planned))
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
