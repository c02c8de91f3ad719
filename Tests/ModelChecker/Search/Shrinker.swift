/// Makes a failing history shorter: fewer operations, fewer faults, fewer changes from one process to another.
struct Shrinker {
  private(set) var script: Script
  private let rule: Violation.Rule
  private let bug: PlantedBug?
  /// How many histories may still be run.
  private var budget = 3000

  init(_ script: Script, _ rule: Violation.Rule, bug: PlantedBug?) {
    self.script = script
    self.rule = rule
    self.bug = bug
  }

  /// Shortens until nothing can be left out any more.
  mutating func shrink() {
    var before = Int.max
    while size < before, budget > 0 {
      before = size
      dropProcesses()
      dropFaults()
      dropSteps()
      gatherSteps()
      simplifyProcesses()
    }
  }

  private var size: Int {
    let switches = zip(script.schedule, script.schedule.dropFirst()).count { $0 != $1 }
    return script.processes.count * 1000 + (script.faults.count + script.crashes.count) * 100 + switches
      + script.schedule.count
  }

  /// Adopts a script if it breaks the same rule.
  private mutating func adopt(_ candidate: Script) -> Bool {
    guard budget > 0 else { return false }
    budget -= 1
    var history = History(Director(replaying: candidate), bug: bug)
    guard history.run()?.rule == rule else { return false }
    script = candidate
    return true
  }

  private mutating func dropProcesses() {
    var length = script.processes.count / 2
    while length > 0 {
      var start = 0
      while start < script.processes.count {
        var candidate = script
        let dropped = Set(candidate.processes[start..<min(start + length, candidate.processes.count)].map(\.id))
        candidate.processes.removeAll { dropped.contains($0.id) }
        candidate.schedule.removeAll { dropped.contains($0) }
        candidate.faults = candidate.faults.filter { !dropped.contains($0.key.process) }
        candidate.crashes = candidate.crashes.filter { !dropped.contains($0.key) }
        if !adopt(candidate) { start += length }
      }
      length /= 2
    }
  }

  private mutating func dropFaults() {
    for point in script.faults.keys.sorted(by: { ($0.process, $0.commit) < ($1.process, $1.commit) }) {
      var candidate = script
      candidate.faults[point] = nil
      _ = adopt(candidate)
    }
    for id in script.crashes.keys.sorted() {
      var candidate = script
      candidate.crashes[id] = nil
      _ = adopt(candidate)
    }
  }

  private mutating func dropSteps() {
    var length = script.schedule.count
    while length > 0 {
      var start = 0
      while start < script.schedule.count {
        var candidate = script
        candidate.schedule.removeSubrange(start..<min(start + length, candidate.schedule.count))
        if !adopt(candidate) { start += length }
      }
      length /= 2
    }
  }

  /// Moves steps of a process behind earlier ones of the same.
  private mutating func gatherSteps() {
    var place = 1
    while place < script.schedule.count {
      let previous = script.schedule[place - 1]
      if script.schedule[place] != previous,
        let next = script.schedule[place...].firstIndex(of: previous)
      {
        var candidate = script
        candidate.schedule.remove(at: next)
        candidate.schedule.insert(previous, at: place)
        _ = adopt(candidate)
      }
      place += 1
    }
  }

  private mutating func simplifyProcesses() {
    for index in script.processes.indices {
      for simpler in script.processes[index].simpler {
        var candidate = script
        candidate.processes[index] = simpler
        _ = adopt(candidate)
      }
    }
    for ending in [Script.Ending(drains: false, givesUp: false), Script.Ending(drains: true, givesUp: false)]
    where ending != script.ending && script.ending.givesUp {
      var candidate = script
      candidate.ending = ending
      _ = adopt(candidate)
    }
  }
}

extension Process {
  /// This process with less to it.
  fileprivate var simpler: [Process] {
    var simpler: [Process] = []
    func add(_ change: (inout Process) -> Void) {
      var copy = self
      change(&copy)
      if copy != self { simpler.append(copy) }
    }
    add { $0.pause = 0 }
    switch action {
    case .autoAssign(let v4, let v6, let handle, let options):
      add { $0.action = .autoAssign(v4: v4, v6: v6, handle: handle, Action.AssignOptions()) }
      add { $0.action = .autoAssign(v4: 1, v6: 0, handle: handle, Action.AssignOptions()) }
      add { $0.action = .autoAssign(v4: min(v4, 1), v6: min(v6, 1), handle: handle, options) }
    case .releaseAddresses(let picks):
      for pick in picks { add { $0.action = .releaseAddresses([pick]) } }
    case .releaseByHandle(let handles):
      for handle in handles { add { $0.action = .releaseByHandle([handle]) } }
    default: break
    }
    return simpler
  }
}
