import CalicoModel
import Datastore
import IPAddressing
import Synchronization
import Testing

@Suite("Faults of the store in memory")
struct WriteFaultTests {
  private let affinity: Key
  private let block: Key
  private let handle = Key.handle("c1")
  private let old = Key.handle("old")

  init() throws {
    let cidr = try #require(CIDR("10.65.0.0/26"))
    affinity = .affinity(BlockOwner(.host, "node1"), cidr)
    block = .block(cidr)
  }

  /// Five writes by stages, four as a whole: two entries have a staged value, of which one is deleted in the end.
  private func plan() throws -> Plan {
    guard case .block(let cidr) = block else { return Plan() }
    let claimed = IPAMBlock(cidr: cidr, owner: BlockOwner(.host, "node1"), time: Timestamp(seconds: 1))
    return Plan([
      Change(handle, base: .absent, final: .value(.handle(IPAMHandle([cidr: 1])))),
      Change(
        affinity, base: .absent, staged: .affinity(BlockAffinity(.pending)),
        final: .value(.affinity(BlockAffinity(.confirmed)))),
      Change(block, base: .absent, final: .value(.block(claimed))),
      Change(old, base: .any, staged: .handle(IPAMHandle()), final: .delete),
    ])
  }

  private var stages: [Write] {
    [
      Write(affinity, .staged, revision: Revision(1)), Write(old, .staged, revision: Revision(2)),
      Write(handle, .final, revision: Revision(3)), Write(block, .final, revision: Revision(4)),
      Write(affinity, .final, revision: Revision(5)), Write(old, .final, revision: nil),
    ]
  }

  /// A store in which the write at a position meets a fault, and what its hook was asked.
  private func store(
    _ fault: WriteFault, at position: Int, atomically: Bool
  ) -> (store: InMemoryDatastore, asked: () -> [PendingWrite]) {
    let store = InMemoryDatastore(commitsAtomically: atomically)
    let asked = SharedWrites()
    store.injectFaults { write in
      asked.writes.withLock { writes in
        writes.append(write)
        return writes.count == position + 1 ? fault : .proceed
      }
    }
    return (store, { asked.writes.withLock(\.self) })
  }

  private final class SharedWrites: Sendable {
    let writes = Mutex<[PendingWrite]>([])
  }

  @Test("the hook is asked for every write in the order of the stages")
  func orderOfStages() async throws {
    let (store, asked) = store(.proceed, at: 0, atomically: false)
    let outcome = try await store.commit(plan(), deadline: .distantFuture)
    #expect(outcome == .applied([affinity: Revision(5), handle: Revision(3), block: Revision(4)]))
    #expect(asked().map(\.key) == stages.map(\.key))
    #expect(asked().map(\.stage) == stages.map(\.stage))
    #expect(asked().map(\.isDeletion) == [false, false, false, false, false, true])
  }

  @Test("the hook is asked for every entry of a plan that is made as a whole, and staged values are left out")
  func orderOfEntries() async throws {
    let (store, asked) = store(.proceed, at: 0, atomically: true)
    let outcome = try await store.commit(plan(), deadline: .distantFuture)
    #expect(outcome == .applied([affinity: Revision(1), handle: Revision(1), block: Revision(1)]))
    #expect(asked().map(\.key) == [handle, affinity, block, old])
    #expect(asked().allSatisfy { $0.stage == .final })
  }

  @Test("a conflict at any write by stages leaves what was written before it", arguments: 0..<6)
  func stagedConflict(position: Int) async throws {
    let (store, asked) = store(.conflict, at: position, atomically: false)
    let outcome = try await store.commit(plan(), deadline: .distantFuture)
    #expect(outcome == .conflict(stages[position].key, applied: Array(stages.prefix(position))))
    #expect(asked().count == position + 1)
    #expect(store.dump().count == Set(stages.prefix(position).map(\.key)).count)
  }

  @Test("a process that dies before a write by stages leaves what was written before it", arguments: 0..<6)
  func stagedCutOff(position: Int) async throws {
    let (store, _) = store(.cutOff, at: position, atomically: false)
    let outcome = try await store.commit(plan(), deadline: .distantFuture)
    let doubt = Write(stages[position].key, stages[position].stage, revision: nil)
    #expect(outcome == .unknown(doubt, applied: Array(stages.prefix(position))))
    #expect(store.dump().count == Set(stages.prefix(position).map(\.key)).count)
  }

  @Test("what is left of a plan that was cut off can be made afterwards", arguments: 0..<6)
  func remainingChanges(position: Int) async throws {
    let (store, _) = store(.cutOff, at: position, atomically: false)
    guard case .unknown(_, let applied) = try await store.commit(plan(), deadline: .distantFuture) else {
      Issue.record("the plan was not cut off")
      return
    }
    store.injectFaults(nil)
    let remaining = try plan().remaining(after: applied)
    guard case .applied = try await store.commit(remaining, deadline: .distantFuture) else {
      Issue.record("the rest of the plan was not made")
      return
    }
    #expect(Set(store.dump().keys) == Set([affinity, block, handle].map { KeyPath.path(of: $0) }))
    #expect(store.dump()[KeyPath.path(of: affinity)] == BlockAffinity(.confirmed).encoded())
  }

  @Test("a lost answer leaves the write by stages that it was about", arguments: 0..<6)
  func stagedAnswerLost(position: Int) async throws {
    let (store, _) = store(.answerLost, at: position, atomically: false)
    let outcome = try await store.commit(plan(), deadline: .distantFuture)
    let doubt = Write(stages[position].key, stages[position].stage, revision: nil)
    #expect(outcome == .unknown(doubt, applied: Array(stages.prefix(position))))
    let written = Set(stages.prefix(position + 1).map(\.key))
    #expect(store.dump().count == (position == 5 ? 3 : written.count))
  }

  @Test("a store out of reach throws before the first write, and is an unknown outcome after it", arguments: 0..<6)
  func stagedUnavailable(position: Int) async throws {
    let (store, _) = store(.unavailable, at: position, atomically: false)
    if position == 0 {
      await #expect(throws: DatastoreError.self) { try await store.commit(plan(), deadline: .distantFuture) }
      #expect(store.dump().isEmpty)
    } else {
      let outcome = try await store.commit(plan(), deadline: .distantFuture)
      #expect(outcome == .unknown(nil, applied: Array(stages.prefix(position))))
    }
  }

  @Test("a fault at any entry of a plan made as a whole decides about all of it", arguments: 0..<4)
  func wholePlans(position: Int) async throws {
    let key = [handle, affinity, block, old][position]
    let doubt = Write(key, .final, revision: nil)
    let expected: [WriteFault: (outcome: Outcome, entries: Int)] = [
      .conflict: (.conflict(key, applied: []), 0), .cutOff: (.unknown(doubt, applied: []), 0),
      .answerLost: (.unknown(doubt, applied: []), 3),
    ]
    for (fault, (outcome, entries)) in expected {
      let (store, asked) = store(fault, at: position, atomically: true)
      #expect(try await store.commit(plan(), deadline: .distantFuture) == outcome)
      #expect(store.dump().count == entries)
      #expect(asked().count == position + 1)
    }
    let (store, _) = store(.unavailable, at: position, atomically: true)
    await #expect(throws: DatastoreError.self) { try await store.commit(plan(), deadline: .distantFuture) }
    #expect(store.dump().isEmpty)
  }

  @Test("a lost answer does not make a conflict unknown", arguments: [true, false])
  func answerLostOnConflict(atomically: Bool) async throws {
    let (store, _) = store(.answerLost, at: 0, atomically: atomically)
    store.put([], at: KeyPath.path(of: affinity))
    #expect(try await store.commit(plan(), deadline: .distantFuture) == .conflict(affinity, applied: []))
  }

  @Test("the hook can change the store between two writes, as another process does")
  func foreignWrites() async throws {
    let store = InMemoryDatastore(commitsAtomically: false)
    let (affinity, block) = (affinity, block)
    store.injectFaults { [weak store] write in
      if write.key == block { store?.put(nil, at: KeyPath.path(of: affinity)) }
      return .proceed
    }
    let outcome = try await store.commit(plan(), deadline: .distantFuture)
    // The affinity is no longer what the first stage left.
    #expect(
      outcome == .conflict(affinity, applied: Array(stages.prefix(3)) + [Write(block, .final, revision: Revision(5))]))
    store.injectFaults(nil)
    #expect(try await store.commit(Plan(), deadline: .distantFuture) == .applied([:]))
  }
}
