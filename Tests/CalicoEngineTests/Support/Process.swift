import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import TestSupport

/// One operation that is carried out turn by turn, in a process of its own.
final class Process<Op: Operation>: Participant {
  private let store: InMemoryDatastore
  private var execution: Execution<Op>
  private var step: Step<Op.Result>
  private var results: [ReadResult] = []
  private var commit: StagedCommit?
  /// How many entries and lists were read, and how many commits were begun.
  private(set) var reads = 0
  private(set) var commits = 0
  private(set) var result: Op.Result?
  private(set) var error: EngineError?
  private(set) var isFinished = false

  init(_ operation: Op, on store: InMemoryDatastore) {
    self.store = store
    execution = Execution(operation)
    step = execution.next()
    end()
  }

  var conflicts: Int { execution.conflicts }

  /// The entry that the next turn writes; nil when it reads, or writes several at once.
  var nextWrite: (key: Key, stage: Write.Stage)? {
    guard case .commit(let plan) = step else { return nil }
    return commit?.next ?? (store.commitsAtomically ? nil : StagedCommit(plan).next)
  }

  var isWriting: Bool {
    if case .commit = step { return true }
    return false
  }

  /// Whether the next turn begins a commit.
  var isAboutToCommit: Bool {
    if case .commit = step { return commit == nil }
    return false
  }

  func takeTurn(_ fate: StagedCommit.Fate = .proceed) async throws {
    switch step {
    case .read(let wanted):
      results += try await store.read([wanted[results.count]], deadline: .distantFuture)
      reads += 1
      guard results.count == wanted.count else { return }
      step = execution.resume(with: results)
      results = []
    case .commit(let plan):
      guard let outcome = try await outcome(of: plan, fate) else { return }
      commit = nil
      step = execution.resume(with: outcome)
    case .done, .failed: break
    }
    end()
  }

  private func outcome(of plan: Plan, _ fate: StagedCommit.Fate) async throws -> Outcome? {
    guard store.commitsAtomically else {
      if commit == nil { commits += 1 }
      var current = commit ?? StagedCommit(plan)
      defer { commit = current }
      return try await current.write(to: store, fate)
    }
    commits += 1
    if fate == .cutOff { return .unknown(nil, applied: []) }
    let outcome = try await store.commit(plan, deadline: .distantFuture)
    if fate == .answerLost, case .applied = outcome { return .unknown(nil, applied: []) }
    return outcome
  }

  private func end() {
    switch step {
    case .done(let result):
      self.result = result
      isFinished = true
    case .failed(let error):
      self.error = error
      isFinished = true
    case .read, .commit: break
    }
  }

  func finish() async throws {
    while !isFinished { try await takeTurn() }
  }
}

/// One of several that take turns.
protocol Participant: AnyObject {
  var isFinished: Bool { get }
  /// Whether the next turn may change the store.
  var isWriting: Bool { get }
  func takeTurn(_ fate: StagedCommit.Fate) async throws
}

extension Cluster {
  /// An operation that waits for its turns.
  func process<Op: Operation>(_ operation: Op) -> Process<Op> { Process(operation, on: store) }

  /// An AutoAssign of IPv4 addresses that waits for its turns.
  func assigning(
    _ count: Int = 1, handle: String? = nil, host: String, maxPerHandle: Int = 0
  ) throws -> Process<AutoAssign> {
    node(host)
    var request = AutoAssignRequest(
      [.init(.v4, count: count)], handleID: handle, host: host, use: .workload, time: tick())
    request.maxPerHandle = maxPerHandle
    return process(try AutoAssign(request))
  }

  /// Gives everybody turns in an order that the generator decides, and checks the store after each.
  func interleave(
    _ participants: [any Participant], _ generator: inout SeededGenerator,
    fate: (inout SeededGenerator) -> StagedCommit.Fate = { _ in .proceed }
  ) async throws {
    var waiting = participants.filter { !$0.isFinished }
    while let next = waiting.randomElement(using: &generator) {
      let isWriting = next.isWriting
      try await next.takeTurn(fate(&generator))
      if isWriting { check("a turn") }
      waiting.removeAll { $0.isFinished }
    }
  }
}
