import CalicoModel
import Datastore
import IPAddressing
import KubernetesClient
import TestSupport
import Testing

@testable import KubernetesDatastore

extension OnKubernetes {
  @Suite("Deletions that somebody began and did not finish")
  struct HalfDeletedTests {
    private static let deadline = FaultTests.deadline

    /// A cluster in which a claim was made, and then the deletion of some of its entries was begun by a process that died.
    private static func withHalfDeleted(
      _ wanted: @escaping (FaultTests.Claim) -> [Key],
      _ body: (FaultyTransport, FaultTests.Claim) async throws -> Void
    ) async throws {
      try await FaultTests.withStore { store, transport, claim in
        guard case .applied(let revisions) = try await store.commit(claim.plan, deadline: deadline) else {
          Issue.record("the claim failed")
          return
        }
        transport.set { request, _ in request.method == .delete ? .requestLost : .none }
        for key in wanted(claim) {
          let change = Change(key, base: .revision(try #require(revisions[key])), final: .delete)
          let outcome = try await store.commit(Plan([change]), deadline: deadline)
          #expect(outcome == .applied([:]))
          #expect(try await exists(key, transport))
        }
        transport.set { _, _ in .none }
        try await body(transport, claim)
      }
    }

    /// Whether there is an object of an entry, half deleted or not.
    private static func exists(_ key: Key, _ transport: FaultyTransport) async throws -> Bool {
      let kind = try #require(ObjectKind(key))
      let path = ResourcePath.object(kind.path(in: .v1), try #require(key.objectName))
      let response = try await transport.send(KubernetesRequest(.get, path), deadline: deadline)
      return response.status == 200
    }

    /// Each kind of entry whose deletion takes two steps.
    static let kinds: [@Sendable (FaultTests.Claim) -> Key] = [\.affinity, \.block, \.handle]

    private static func listing(_ key: Key) throws -> Listing {
      switch key {
      case .block: Listing(.blocks(.v4))
      case .affinity(let owner, _): Listing(.affinities(owner, .v4))
      default: Listing(.handles)
      }
    }

    @Test("they are deletions, and whoever asks for the entry finishes them", arguments: kinds.indices)
    func reading(kind: Int) async throws {
      let key = Self.kinds[kind]
      try await Self.withHalfDeleted({ [key($0)] }) { transport, claim in
        let other = KubernetesDatastore(transport)
        guard case .entry(nil) = try await other.read([.entry(key(claim))], deadline: Self.deadline)[0] else {
          Issue.record("it is there")
          return
        }
        #expect(try await !Self.exists(key(claim), transport))
      }
    }

    @Test("whoever lists the entries finishes them", arguments: kinds.indices)
    func listing(kind: Int) async throws {
      let key = Self.kinds[kind]
      try await Self.withHalfDeleted({ [key($0)] }) { transport, claim in
        let other = KubernetesDatastore(transport)
        let read = Read.list(try Self.listing(key(claim)))
        for _ in 0..<2 {
          guard case .list(let list) = try await other.read([read], deadline: Self.deadline)[0] else { return }
          #expect(list.items.isEmpty)
          #expect(try await !Self.exists(key(claim), transport))
        }
        #expect(transport.requests.filter { $0.method == .delete }.count == 1)
      }
    }

    @Test("who may not delete them sees the right list all the same", arguments: kinds.indices)
    func listingOnly(kind: Int) async throws {
      let key = Self.kinds[kind]
      try await Self.withHalfDeleted({ [key($0)] }) { transport, claim in
        transport.set { request, _ in
          request.method == .delete ? .answer(.status(403, reason: "Forbidden")) : .none
        }
        let read = Read.list(try Self.listing(key(claim)))
        let results = try await KubernetesDatastore(transport).read([read], deadline: Self.deadline)
        guard case .list(let list) = results[0] else { return }
        #expect(list.items.isEmpty)
        #expect(try await Self.exists(key(claim), transport))
      }
    }

    @Test("entries are made anew where they are in the way, without anybody having looked")
    func creating() async throws {
      try await Self.withHalfDeleted({ [$0.block, $0.affinity, $0.handle] }) { transport, claim in
        let other = KubernetesDatastore(transport)
        let outcome = try await other.commit(claim.plan, deadline: Self.deadline)
        #expect(outcome.isApplied)
        let state = try await FaultTests.state(other, claim)
        #expect(state.affinity == .confirmed)
        #expect(state.hasHandle && state.hasBlock)
      }
    }

    @Test("an entry is put where one is in the way, whatever it was")
    func overwriting() async throws {
      try await Self.withHalfDeleted({ [$0.block] }) { transport, claim in
        let other = KubernetesDatastore(transport)
        let again = Plan([Change(claim.block, base: .any, final: claim.plan.changes[2].final)])
        let outcome = try await other.commit(again, deadline: Self.deadline)
        #expect(outcome.isApplied)
        #expect(try await FaultTests.state(other, claim).hasBlock)
      }
    }

    @Test("an entry that is there is none of them: to make it once more is a conflict")
    func present() async throws {
      try await Self.withHalfDeleted({ _ in [] }) { transport, claim in
        let outcome = try await KubernetesDatastore(transport).commit(claim.plan, deadline: Self.deadline)
        guard case .conflict(_, applied: []) = outcome else {
          Issue.record("\(outcome)")
          return
        }
        #expect(!transport.requests.contains { $0.method == .delete })
        #expect(try await Self.exists(claim.affinity, transport))
      }
    }

    @Test(
      "the last step of a deletion is repeated once when its connection is lost, so that nothing is left",
      arguments: [FaultyTransport.Fault.requestLost, .answerLost, .answer(.status(504, reason: "Timeout"))])
    func lastStep(fault: FaultyTransport.Fault) async throws {
      try await FaultTests.withStore { store, transport, claim in
        guard case .applied(let revisions) = try await store.commit(claim.plan, deadline: Self.deadline) else {
          Issue.record("the claim failed")
          return
        }
        transport.set { _, index in index == 1 ? fault : .none }
        let base = Base.revision(try #require(revisions[claim.handle]))
        let deletion = Plan([Change(claim.handle, base: base, final: .delete)])
        let outcome = try await store.commit(deletion, deadline: Self.deadline)
        #expect(outcome == .applied([:]))
        #expect(transport.requests.map(\.method) == [.put, .delete, .delete])
        #expect(try await !Self.exists(claim.handle, transport))
      }
    }
  }
}
