import CalicoModel
import Datastore
import IPAddressing

/// Runs a script: steps of processes in some order, each a single read or a single write.
struct History {
  /// A process that has begun.
  final class Running {
    let process: Process
    var actor: any Actor
    var state = State.ended
    var steps = 0
    var commits = 0
    /// When the commit that is being made was planned.
    var planned = World.epoch

    init(_ process: Process, _ actor: any Actor) {
      self.process = process
      self.actor = actor
    }
  }

  enum State {
    case reading([Read], [ReadResult])
    case committing(Commit)
    case ended
  }

  /// A write whose answer was given up, and that is still under way. It does not outlive an entry that others make and
  /// delete meanwhile: nothing could tell it from a new one then, in no datastore and with no order of steps.
  struct LateWrite {
    var process: Int
    var writes: [ComparedWrite]
    /// How often each of the entries had been deleted before.
    var deletions: [Int]
    var step: Int
    var planned: Timestamp
  }

  /// A process that takes so many steps does not come to an end.
  private static let maximumSteps = 4000

  var director: Director
  let bug: PlantedBug?
  var store: ModelStore
  var oracle: Oracle
  var coverage = Coverage()
  var trace: Trace
  var clock = World.epoch
  var step = 0
  var running: [Int: Running] = [:]
  /// The processes that have begun and not ended, in ascending order.
  private var active: [Int] = []
  var lateWrites: [LateWrite] = []
  var writes = 0
  var memory = BugMemory()

  init(_ director: Director, bug: PlantedBug? = nil, isTraced: Bool = false, isRecorded: Bool = false) {
    self.director = director
    self.bug = bug
    store = ModelStore(isRecorded: isRecorded)
    oracle = Oracle(director.script.world)
    trace = Trace(isEnabled: isTraced)
  }

  var world: World { director.script.world }

  /// Runs everything.
  ///
  /// - Returns: the rule that was broken; nil when none was.
  mutating func run() -> Violation? {
    trace.add { [world] in world.description }
    defer { coverage.count(operations: director.script.processes.count, writes: writes) }
    do throws(Violation) {
      for (key, value) in world.entries { try configure(key, value) }
      while let id = director.next(active, hasBegun: { running[$0] != nil }) {
        try take(id)
        try landLateWrites(upTo: step)
      }
      try landLateWrites(upTo: .max)
      try end()
      return nil
    } catch {
      trace.add { "    VIOLATION: \(error.rule.rawValue): \(error.description)" }
      return error
    }
  }

  // MARK: - Steps

  private mutating func take(_ id: Int) throws(Violation) {
    step += 1
    clock.nanoseconds += 100_000
    guard let current = running[id] else { return try begin(id) }
    current.steps += 1
    if current.steps > Self.maximumSteps {
      throw Violation(.endless, "\(current.process) has taken \(current.steps) steps")
    }
    if director.crashes(id, after: current.steps) {
      trace.add { "\(id) dies" }
      current.state = .ended
    } else {
      try advance(current)
    }
    if case .ended = current.state { active.removeAll { $0 == id } }
  }

  private mutating func begin(_ id: Int) throws(Violation) {
    guard let process = director.process(id) else { return }
    clock.nanoseconds += process.pause
    try start(process)
    if case .ended? = running[id]?.state { return }
    active.insert(id, at: active.firstIndex { $0 > id } ?? active.count)
  }

  mutating func start(_ process: Process) throws(Violation) {
    let options = options(of: process)
    trace.add { [clock] in "\(process) begins at \(clock.attributeText)" }
    oracle.begin(process, options, at: Oracle.Moment(step: step, time: clock, planned: clock))
    let asked = bug?.options(options) ?? options
    let current = Running(process, process.actor(in: world, at: clock, asked, store))
    running[process.id] = current
    try take(current.actor.begin(at: clock), current)
  }

  private func options(of process: Process) -> [ReleaseOption] {
    switch process.action {
    case .releaseAddresses(let picks), .upstreamReleaseAddresses(let picks):
      picks.compactMap { oracle.ledger.option($0) }
    case .setOwner(let pick): oracle.ledger.option(pick).map { [$0] } ?? []
    case .releaseEverything(let options): options
    default: []
    }
  }

  mutating func advance(_ current: Running) throws(Violation) {
    let state = current.state
    // What is taken out is changed, and must not be copied for it.
    current.state = .ended
    switch state {
    case .reading(let reads, var results):
      var isDynamic = false
      while !isDynamic, results.count < reads.count {
        let read = reads[results.count]
        isDynamic = read.isDynamic
        let result = store.read(read)
        results.append(bug?.result(result, read, current.process, store, &memory) ?? result)
        trace.add { "\(current.process.id) reads \(read.text)" }
      }
      guard results.count == reads.count else {
        current.state = .reading(reads, results)
        return
      }
      try take(current.actor.resume(with: results, at: clock), current)
    case .committing(let commit):
      try make(commit, of: current)
    case .ended: break
    }
  }

  /// Takes in what an actor wants next.
  mutating func take(_ next: ActorStep, _ current: Running) throws(Violation) {
    switch next {
    case .read(let reads):
      current.state = .reading(reads, [])
      // A demand for nothing is answered with nothing.
      if reads.isEmpty { try advance(current) }
    case .commit(let plan):
      let plan = bug?.plan(plan, current.process, store, &memory) ?? plan
      current.commits += 1
      current.planned = clock
      let point = CommitPoint(process: current.process.id, commit: current.commits)
      var commit = Commit(plan, isAtomic: world.isAtomic, fault: nil)
      let positions = commit.writes.indices.map {
        WritePosition(commit.writes[$0], $0, of: commit, current.process.action.name, isAtomic: world.isAtomic)
      }
      if current.process.action.isFallible, current.process.id < Director.firstOfEnding {
        for position in positions { coverage.begin(position) }
        if let fault = director.fault(at: point, positions, commit, current.process) {
          commit = Commit(plan, isAtomic: world.isAtomic, fault: fault)
        }
      }
      current.state = .committing(commit)
    case .done(let result):
      current.state = .ended
      trace.add { "\(current.process.id) \(result.text)" }
      try oracle.finish(current.process.id, result)
    }
  }

  /// Goes on with what an actor makes of an outcome.
  mutating func answer(_ outcome: Outcome, _ current: Running) throws(Violation) {
    let outcome = bug?.outcome(outcome) ?? outcome
    var isPresent = false
    if case .conflict(let key, _) = outcome { isPresent = store.entry(key) != nil }
    trace.add { "\(current.process.id) is told: \(outcome.text)" }
    try take(current.actor.resume(with: outcome, isPresent: isPresent, at: clock), current)
  }

  private mutating func landLateWrites(upTo limit: Int) throws(Violation) {
    guard !lateWrites.isEmpty else { return }
    let due = lateWrites.filter { $0.step <= limit }
    lateWrites.removeAll { $0.step <= limit }
    for late in due where late.writes.map({ store.deletions[$0.key, default: 0] }) == late.deletions {
      let moment = Oracle.Moment(step: step, time: clock, planned: late.planned, isLate: true)
      _ = try commit(late.writes, by: late.process, at: moment)
    }
  }
}
