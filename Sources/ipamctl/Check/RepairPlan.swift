import CalicoEngine
import CalicoModel
import Datastore
import FileSystem
import IPAddressing
import IntegrityCheck

/// What can be repaired of what a check has found, step by step, and what came of it.
struct RepairPlan {
  enum Work {
    case fault(Fault)
    /// All addresses of one handle, or one address without.
    case release([Leak])
    /// Addresses of one block of whose owners nothing is recorded.
    case cool([Leak])
  }

  enum Outcome: Hashable {
    case planned
    case repaired
    /// It fits meanwhile, or somebody else was at work: nothing was changed.
    case changed
    /// The address may be needed.
    case doubtful
    case failed(String)
  }

  struct Step {
    var work: Work
    /// How long it has been seen unchanged, in seconds.
    var age: Int64
    /// How long it must have been.
    var patience: Int64
    var outcome = Outcome.planned
    /// What it is based on.
    var evidence: [String]

    var rest: Int64 { max(0, patience - age) }
  }

  private(set) var steps: [Step] = []
  /// What nothing can be done about but by hand.
  private(set) var hopeless: [Fault] = []
  /// Addresses that nobody uses and of which it is not proven that nobody needs them.
  private(set) var kept: [(leak: Leak, reason: String)] = []
  /// How many addresses could be released beyond the budget.
  private(set) var beyondBudget = 0
  private(set) var memoryFailure: Int32?

  /// How repairs are made.
  struct Rules {
    /// How many addresses may be released; nil for all.
    var maxReleases: Int?
    /// How long what may be somebody's work in progress has to be seen unchanged, in seconds.
    var patience = RepairHandle.patience
  }

  private let session: Session
  private let users: AddressUsers
  /// All addresses of the handles that leaks belong to.
  private let holdings: [String: [IPAddress]]

  /// Plans repairs, and notes what was seen for a later run.
  init(
    _ findings: Findings, _ check: IntegrityCheck, _ users: AddressUsers, _ session: Session, _ rules: Rules,
    memory: inout FaultMemory
  ) async throws {
    self.session = session
    self.users = users
    holdings = check.addresses(ofHandles: Set(findings.leaks.compactMap(\.handleID)))
    let known = memory.note(
      findings.faults.map { ($0.path, $0.revision?.token ?? "") }
        + (findings.leaks + findings.unowned).map { ($0.path, $0.mark) })
    for fault in findings.faults.sorted(by: { $0.rank < $1.rank }) {
      guard fault.remedy != nil else {
        hopeless.append(fault)
        continue
      }
      steps.append(
        Step(
          work: .fault(fault), age: known[fault.path] ?? 0, patience: fault.mayBeInProgress ? rules.patience : 0,
          evidence: [fault.text]))
    }
    var budget = rules.maxReleases ?? .max
    try await planReleases(findings, known, rules, &budget)
    planCooling(findings, known, &budget)
    do { try memory.save() } catch { memoryFailure = error.number }
  }

  private mutating func planReleases(
    _ findings: Findings, _ known: [String: Int64], _ rules: Rules, _ budget: inout Int
  ) async throws {
    let unowned = Set(findings.unowned.map(\.address))
    var groups: [(key: String, leaks: [Leak])] = []
    var places: [String: Int] = [:]
    for leak in findings.leaks where !unowned.contains(leak.address) {
      let key = leak.handleID.map { "h" + $0 } ?? leak.address.description
      if let place = places[key] {
        groups[place].leaks.append(leak)
      } else {
        places[key] = groups.count
        groups.append((key, [leak]))
      }
    }
    for group in groups {
      guard group.leaks.count <= budget else {
        beyondBudget += group.leaks.count
        continue
      }
      switch try await proof(group.leaks) {
      case .doubtful(let reason): kept += group.leaks.map { ($0, reason) }
      case .dead(let reason):
        budget -= group.leaks.count
        let age = group.leaks.map { known[$0.path] ?? 0 }.min() ?? 0
        steps.append(
          Step(work: .release(group.leaks), age: age, patience: users.releasePatience(rules), evidence: [reason]))
      }
    }
  }

  private mutating func planCooling(_ findings: Findings, _ known: [String: Int64], _ budget: inout Int) {
    for (_, leaks) in Dictionary(grouping: findings.unowned, by: \.block).sorted(by: { $0.key.address < $1.key.address }
    ) {
      guard leaks.count <= budget else {
        beyondBudget += leaks.count
        continue
      }
      budget -= leaks.count
      steps.append(
        Step(
          work: .cool(leaks), age: leaks.map { known[$0.path] ?? 0 }.min() ?? 0,
          patience: CoolUnownedAddresses.patience,
          evidence: ["nothing is recorded of an owner, and nobody uses it"]))
    }
  }

  /// Whether nobody needs the addresses of a handle. One address that somebody may need keeps all of them.
  private func proof(_ leaks: [Leak]) async throws -> AddressUsers.Proof {
    let all = leaks[0].handleID.flatMap { holdings[$0] } ?? leaks.map(\.address)
    let leaked = Set(leaks.map(\.address))
    if let other = all.first(where: { !leaked.contains($0) }) { return .doubtful("its handle also has \(other)") }
    var reasons: [String] = []
    for leak in leaks {
      switch try await users.proof(leak, all: all, session) {
      case .doubtful(let reason): return .doubtful(reason)
      case .dead(let reason): if !reasons.contains(reason) { reasons.append(reason) }
      }
    }
    return .dead(reasons.joined(separator: "; "))
  }

  // MARK: Doing it

  /// For how long to wait, in seconds, until everything that can be repaired in this run has been seen long enough.
  func wait(atMost limit: Int64) -> Int64 {
    steps.filter { $0.outcome == .planned && $0.rest <= limit }.map(\.rest).max() ?? 0
  }

  /// Makes the repairs that have been seen long enough.
  ///
  /// - Parameters:
  ///   - waited: seconds since the plan was made.
  ///   - tell: takes every step that was tried.
  /// - Throws: what `tell` throws.
  mutating func carryOut(after waited: Int64, tell: (Step) throws -> Void) async throws {
    for index in steps.indices where steps[index].outcome == .planned && steps[index].rest <= waited {
      steps[index].age += waited
      do {
        try await carryOut(&steps[index])
      } catch {
        steps[index].outcome = .failed(error.advised)
      }
      try tell(steps[index])
    }
  }

  private func carryOut(_ step: inout Step) async throws {
    switch step.work {
    case .fault(let fault): step.outcome = Outcome(try await fault.repair(session))
    case .release(let leaks):
      // Whoever came back while we waited is asked for once more, right before the release.
      switch try await proof(leaks) {
      case .doubtful(let reason):
        step.evidence.append(reason)
        step.outcome = .doubtful
      case .dead:
        let options = leaks.map {
          ReleaseOption($0.address, handleID: $0.handleID, sequenceNumber: $0.sequenceNumber)
        }
        let result = try await session.run(ReleaseAddresses(options, time: session.now()))
        let released = Set(result.released.map(\.address)).subtracting(result.unallocated)
        step.outcome = leaks.allSatisfy { released.contains($0.address) } ? .repaired : .changed
        if step.outcome == .repaired, let handle = leaks[0].handleID {
          try await session.store.forgetEvidence(handle, deadline: session.deadline)
        }
      }
    case .cool(let leaks):
      let operation = CoolUnownedAddresses(
        leaks[0].block, at: leaks[0].revision, addresses: leaks.map(\.address), time: session.now())
      step.outcome = Outcome(try await session.run(operation))
    }
  }
}

extension RepairPlan.Outcome {
  fileprivate init(_ outcome: RepairOutcome) {
    self = outcome == .repaired ? .repaired : .changed
  }
}

extension Fault {
  /// What comes first: what others need, and then what keeps most from working.
  fileprivate var rank: Int {
    switch subject {
    case .block: 0
    case .remains: 1
    case .openAffinity: 2
    case .staleAffinity: 3
    case .handle: 4
    case .emptyBlock: 5
    case .unreadable: 6
    }
  }
}

extension Leak {
  /// A name for the address in its block.
  var path: String { KeyPath.path(of: .block(block)) + "#" + address.description }

  /// What tells this assignment of the address from another one; without an owner, this state of the block.
  var mark: String {
    guard let handleID, !handleID.isEmpty else { return revision.token }
    return "\(sequenceNumber) \(handleID)"
  }
}

extension AddressUsers {
  /// How long an address must have been seen as nobody's: what this host knows of its own containers is certain at once.
  fileprivate func releasePatience(_ rules: RepairPlan.Rules) -> Int64 {
    if case .host = self { return 0 }
    return rules.patience
  }
}
