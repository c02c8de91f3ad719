import CalicoModel
import Datastore
import IPAddressing
import Testing

// Several entries at a time.

extension DatastoreContract {
  static let planRules = [
    Rule("a plan makes all its changes, and gives the revisions of what then exists", wholePlans),
    Rule("a plan of nothing is made at once", emptyPlans),
    Rule("a plan that must survive the power is made like any other", durablePlans),
    Rule("a conflict leaves nothing of a plan, or the writes before it where plans are made by stages", conflicts),
    Rule("a conflict at the first change leaves nothing", conflictAtFirst),
    Rule("what was written before a conflict can be undone with the revisions reported", undo),
    Rule("a staged value is followed by the final one, or by the deletion", stagedValues),
    Rule("of two plans made from one reading, one is refused", racingPlans),
    Rule("nothing is lost when several processes change one entry", concurrentCounting),
  ]

  /// The parts of a claim: an affinity that is pending first, a block, a handle.
  private struct Claim {
    let affinity: Key
    let block: Key
    let handle = Key.handle("k8s-pod-network.c1")

    init() throws {
      affinity = try .affinity("node1", "10.65.0.0/26")
      block = try .block("10.65.0.0/26")
    }

    /// Handle last in the list of changes; the affinity's staged value is written first nevertheless.
    func plan(handle base: Base) throws -> Plan {
      Plan([
        Change(block, base: .absent, final: .value(try .block("10.65.0.0/26"))),
        Change(affinity, base: .absent, staged: .affinity(.pending), final: .value(.affinity(.confirmed))),
        Change(handle, base: base, final: .value(try .handle(holding: 1))),
      ])
    }
  }

  private static func wholePlans(_ store: ContractStore) async throws {
    let claim = try Claim()
    guard case .applied(let revisions) = try await store.commit(claim.plan(handle: .absent)) else {
      Issue.record("the plan was not made")
      return
    }
    #expect(Set(revisions.keys) == [claim.affinity, claim.block, claim.handle])
    #expect(try await store.state(claim.affinity) == .confirmed)
    // Each revision is right for its entry.
    let next = Plan([
      Change(claim.affinity, base: .revision(try #require(revisions[claim.affinity])), final: .delete),
      Change(claim.block, base: .revision(try #require(revisions[claim.block])), final: .delete),
      Change(
        claim.handle, base: .revision(try #require(revisions[claim.handle])), final: .value(try .handle(holding: 2))),
    ])
    guard case .applied(let later) = try await store.commit(next) else {
      Issue.record("the second plan was not made")
      return
    }
    #expect(Set(later.keys) == [claim.handle])
    #expect(try await store.entry(claim.affinity) == nil)
    #expect(try await store.entry(claim.block) == nil)
    #expect(try await store.entry(claim.handle)?.handle().count(.v4) == 2)
  }

  private static func emptyPlans(_ store: ContractStore) async throws {
    #expect(try await store.commit(Plan()) == .applied([:]))
  }

  private static func durablePlans(_ store: ContractStore) async throws {
    let claim = try Claim()
    var plan = try claim.plan(handle: .absent)
    plan.durability = .disk
    #expect(try await store.commit(plan).isApplied)
    #expect(try await store.entry(claim.block) != nil)
  }

  private static func conflicts(_ store: ContractStore) async throws {
    let claim = try Claim()
    try await store.create(claim.handle, .handle(holding: 7))
    let outcome = try await store.commit(claim.plan(handle: .absent))
    #expect(outcome.conflict == claim.handle)
    let writes = try #require(outcome.writesBeforeConflict)
    if store.isAtomic {
      #expect(writes.isEmpty)
      #expect(try await store.entry(claim.affinity) == nil)
      #expect(try await store.entry(claim.block) == nil)
    } else {
      #expect(writes.map(\.key) == [claim.affinity, claim.block])
      #expect(writes.map(\.stage) == [.staged, .final])
      #expect(writes.allSatisfy { $0.revision != nil })
      #expect(try await store.state(claim.affinity) == .pending)
      #expect(try await store.entry(claim.block) != nil)
    }
    #expect(try await store.entry(claim.handle)?.handle().count(.v4) == 7)
  }

  private static func conflictAtFirst(_ store: ContractStore) async throws {
    let claim = try Claim()
    try await store.create(claim.affinity, .affinity(.confirmed))
    #expect(try await store.commit(claim.plan(handle: .absent)) == .conflict(claim.affinity, applied: []))
    #expect(try await store.state(claim.affinity) == .confirmed)
    #expect(try await store.entry(claim.block) == nil)
    #expect(try await store.entry(claim.handle) == nil)
  }

  private static func undo(_ store: ContractStore) async throws {
    let claim = try Claim()
    let found = try await store.create(claim.handle, .handle(holding: 7))
    let writes = try #require(try await store.commit(claim.plan(handle: .absent)).writesBeforeConflict)
    let undoing = try writes.map { write in
      Change(write.key, base: .revision(try #require(write.revision)), final: .delete)
    }
    #expect(try await store.commit(Plan(undoing)) == .applied([:]))
    #expect(try await store.entry(claim.affinity) == nil)
    #expect(try await store.entry(claim.block) == nil)
    #expect(try await store.commit(claim.plan(handle: .revision(found))).isApplied)
  }

  private static func stagedValues(_ store: ContractStore) async throws {
    let key = try Key.affinity("node1", "10.65.0.0/26")
    let change = Change(key, base: .absent, staged: .affinity(.pending), final: .value(.affinity(.confirmed)))
    guard case .applied(let revisions) = try await store.commit(change) else {
      Issue.record("the plan was not made")
      return
    }
    let stored = try #require(try await store.entry(key))
    #expect(try stored.affinity().state == .confirmed)
    let base = Base.revision(try #require(revisions[key]))
    let deletion = try await store.commit(
      Change(key, base: base, staged: .affinity(.pendingDeletion), final: .delete))
    #expect(deletion == .applied([:]))
    #expect(try await store.entry(key) == nil)
  }

  private static func racingPlans(_ store: ContractStore) async throws {
    let claim = try Claim()
    try await store.create(claim.handle, .handle(holding: 1))
    let revision = try #require(try await store.entry(claim.handle)).revision
    func plan(_ count: Int, _ name: String) throws -> Plan {
      Plan([
        Change(claim.handle, base: .revision(revision), final: .value(try .handle(holding: count))),
        Change(.handle(name), base: .absent, final: .value(try .handle(holding: 1))),
      ])
    }
    #expect(try await store.commit(plan(2, "first")).isApplied)
    #expect(try await store.commit(plan(3, "second")) == .conflict(claim.handle, applied: []))
    #expect(try await store.entry(claim.handle)?.handle().count(.v4) == 2)
    #expect(try await store.entry(.handle("second")) == nil)
  }

  private static func concurrentCounting(_ store: ContractStore) async throws {
    let key = Key.handle("counted")
    try await store.create(key, .handle(holding: 1))
    try await withThrowingTaskGroup { group in
      for _ in 0..<4 {
        group.addTask {
          var left = 5
          while left > 0 {
            let stored = try #require(try await store.entry(key))
            let next = try Value.handle(holding: stored.handle().count(.v4) + 1)
            let change = Change(key, base: .revision(stored.revision), final: .value(next))
            if try await store.commit(change).isApplied { left -= 1 }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await store.entry(key)?.handle().count(.v4) == 21)
  }
}
