import CalicoModel
import Datastore
import JSON
import Testing

/// Replays a scenario step by step and compares.
struct VectorRun {
  let vector: VectorCase
  /// Whether a step begins with what the one before left, and not with what is recorded.
  let isChain: Bool
  private let recording: Recording
  private var replay: Replay
  private var normalization = Normalization()
  private var tally = Tally()

  init(_ vector: VectorCase, isChain: Bool) throws {
    self.vector = vector
    self.isChain = isChain
    recording = try Recording(vector.version, vector.name)
    let folder = try ScratchFolder()
    replay = Replay(
      store: ReplayStore(base: try vector.store.makeStore(in: folder.path)), starts: try RecordedStarts(recording),
      folder: folder, remembers: isChain)
  }

  consuming func run() async throws {
    for step in recording.steps {
      try await run(step)
    }
    let mode = isChain ? "chain" : "steps"
    print("vectors \(vector.testDescription), \(mode): \(tally)")
    Deviations.expect(tally.deviating, in: vector, isChain: isChain)
  }

  private mutating func run(_ step: RecordedStep) async throws {
    let created = step.writes.compactMap { write in write.sequenceNumber.map { (write.path, $0) } }
    // Where no block is created any time will do, as long as every step has its own.
    let number = created.first?.1 ?? 1_000_000 + Int64(step.index)
    replay.time = Timestamp(nanoseconds: number)
    normalization.allow(replay.time)
    // Another process opens the file anew.
    if vector.store == .sqlite {
      replay.store = ReplayStore(base: try vector.store.makeStore(in: replay.folder.path))
    }
    if !isChain { try await load(step.before) }
    let replayed = try await replay.perform(step)
    guard case .done(var result) = replayed else {
      if case .skipped(let reason) = replayed { tally.skipped[reason, default: 0] += 1 }
      if isChain, step.before != step.after { try await load(step.after) }
      return
    }
    result.output = try result.output.map { try normalization.marked($0) }
    for (path, recorded) in created { normalization.rebase(path, from: number, to: recorded) }
    var expectation = Expectation(step)
    let rules = try Deviations.apply(to: &expectation, step, vector.version, isChain: isChain, result)
    tally.note(rules, step.index)
    let state = normalization.marked(try await replay.store.state())
    for difference in expectation.differences(from: result, state, step) {
      Issue.record("\(vector.testDescription), step \(step.index), \(step.operation): \(difference)")
    }
    // From where the programs differ on purpose the chain goes on as recorded.
    if isChain, expectation.state != step.after, Deviations.breakChain(rules) { try await load(step.after) }
  }

  private mutating func load(_ state: RecordedState) async throws {
    normalization.forgetOffsets()
    try await replay.store.load(Normalization.loadable(state))
  }
}

/// What was compared.
struct Tally: CustomStringConvertible {
  var exact = 0
  /// The steps in which each rule changed what is expected.
  var deviating: [String: [Int]] = [:]
  var skipped: [String: Int] = [:]

  mutating func note(_ rules: [String], _ step: Int) {
    if rules.isEmpty { exact += 1 }
    for rule in rules { deviating[rule, default: []].append(step) }
  }

  var description: String {
    var parts = ["\(exact) steps exactly"]
    parts += deviating.sorted { $0.key < $1.key }.map { rule, steps in
      "\(rule) in \(steps.map(String.init).joined(separator: " "))"
    }
    parts += skipped.sorted { $0.key < $1.key }.map { "\($0.value) skipped: \($0.key)" }
    return parts.joined(separator: "; ")
  }
}
