import CalicoModel
import Datastore
import IPAddressing
import KubernetesClient
import TestSupport
import Testing

@testable import KubernetesDatastore

extension OnKubernetes {
  @Suite("Faults between the datastore and Kubernetes")
  struct FaultTests {
    static let deadline = Deadline.after(milliseconds: 600_000)
    static let cidr = CIDR("10.65.0.0/26")

    /// A store on an empty cluster, by a transport that works until a test says otherwise.
    static func withStore(
      _ body: (KubernetesDatastore, FaultyTransport, Claim) async throws -> Void
    ) async throws {
      let cluster = try TestCluster.first.get()
      let client = try cluster.client()
      try await cluster.empty(client)
      let transport = FaultyTransport(client)
      let store = KubernetesDatastore(transport)
      // The group is known from here on, so that what is counted is what is tested.
      _ = try await store.group(deadline: deadline)
      try await body(store, transport, try Claim())
      await client.close()
    }

    /// A claim: an affinity that is pending first, a block, a handle.
    struct Claim {
      let affinity: Key
      let block: Key
      let handle = Key.handle("k8s-pod-network.c1")
      let plan: Plan

      init() throws {
        let cidr = try #require(FaultTests.cidr)
        let owner = BlockOwner(.host, "node1")
        affinity = .affinity(owner, cidr)
        block = .block(cidr)
        let value = IPAMBlock(cidr: cidr, owner: owner, time: Timestamp(seconds: 1_787_405_580))
        plan = Plan([
          Change(
            affinity, base: .absent, staged: .affinity(BlockAffinity(.pending)),
            final: .value(.affinity(BlockAffinity(.confirmed)))),
          Change(handle, base: .absent, final: .value(.handle(IPAMHandle([cidr: 1])))),
          Change(block, base: .absent, final: .value(.block(value))),
        ])
      }
    }

    static func state(
      _ store: KubernetesDatastore, _ claim: Claim
    ) async throws -> (affinity: BlockAffinity.State?, hasHandle: Bool, hasBlock: Bool) {
      let results = try await store.read(
        [.entry(claim.affinity), .entry(claim.handle), .entry(claim.block)], deadline: deadline)
      let entries = results.map { result -> Stored? in
        guard case .entry(let stored) = result else { return nil }
        return stored
      }
      return (try entries[0]?.affinity().state, entries[1] != nil, entries[2] != nil)
    }

    @Test("a claim announces itself and counts its addresses at once, then makes the block, then confirms")
    func order() async throws {
      try await Self.withStore { store, transport, claim in
        transport.set { _, _ in .none }
        let outcome1 = try await store.commit(claim.plan, deadline: Self.deadline)
        #expect(outcome1.isApplied)
        let paths = transport.requests.map { "\($0.method.rawValue) \($0.path.split(separator: "/")[3])" }
        #expect(Set(paths.prefix(2)) == ["POST blockaffinities", "POST ipamhandles"])
        #expect(Array(paths.dropFirst(2)) == ["POST ipamblocks", "PUT blockaffinities"])
      }
    }

    @Test(
      "a lost answer of any write leaves what was made before it, and the plan can be gone on with", arguments: 0..<4)
    func lostAnswers(number: Int) async throws {
      try await Self.withStore { store, transport, claim in
        transport.set { _, index in index == number ? .answerLost : .none }
        let outcome = try await store.commit(claim.plan, deadline: Self.deadline)
        guard case .unknown(.some(let doubt), let applied) = outcome else {
          Issue.record("\(outcome)")
          return
        }
        #expect(!applied.contains { $0.key == doubt.key && $0.stage == doubt.stage })
        // What the other one of the first two was is made in any case.
        #expect(applied.count == max(1, number))
        transport.set { _, _ in .none }
        let state = try await Self.state(store, claim)
        #expect(state.affinity == (number == 3 ? .confirmed : .pending))
        #expect(state.hasHandle)
        #expect(state.hasBlock == (number >= 2))
      }
    }

    @Test("a lost request of any write is told as one in doubt", arguments: 0..<4)
    func lostRequests(number: Int) async throws {
      try await Self.withStore { store, transport, claim in
        transport.set { _, index in index == number ? .requestLost : .none }
        let outcome = try await store.commit(claim.plan, deadline: Self.deadline)
        guard case .unknown(.some, let applied) = outcome else {
          Issue.record("\(outcome)")
          return
        }
        transport.set { _, _ in .none }
        // The rest can be made from what is known.
        let rest = claim.plan.remaining(after: applied)
        let outcome2 = try await store.commit(rest, deadline: Self.deadline)
        #expect(outcome2.isApplied)
        let state = try await Self.state(store, claim)
        #expect(state.affinity == .confirmed)
        #expect(state.hasHandle && state.hasBlock)
      }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
      var response: KubernetesResponse
      var code: DatastoreError.Code
      /// What the error must say.
      var words: [String]

      var testDescription: String { "\(response.status) \(words)" }
    }

    static let refusals = [
      Refusal(response: .status(401, reason: "Unauthorized"), code: .forbidden, words: ["who we are", "token"]),
      Refusal(
        response: .status(403, reason: "Forbidden", message: "User node cannot create"), code: .forbidden,
        words: ["User node cannot create", "crd.projectcalico.org", "verbs [create]"]),
      Refusal(
        response: .status(422, reason: "Invalid", message: "is invalid", fields: ["spec.cidr"]), code: .unusable,
        words: ["is invalid", "spec.cidr"]),
      Refusal(response: .status(400, reason: "BadRequest"), code: .unusable, words: ["refuses"]),
      Refusal(response: .status(413, reason: "RequestEntityTooLarge"), code: .unusable, words: ["refuses"]),
      Refusal(
        response: KubernetesResponse(status: 404, body: Array("404 page not found".utf8)), code: .unusable,
        words: ["is not installed", "kubectl apply -k"]),
      Refusal(response: .status(410, reason: "Gone"), code: .unavailable, words: ["410"]),
    ]

    @Test("a refusal before anything is written is an error that names what and the next step", arguments: refusals)
    func refusedAtOnce(refusal: Refusal) async throws {
      try await Self.withStore { store, transport, claim in
        transport.set { _, _ in .answer(refusal.response) }
        let error = try #require(
          await #expect(throws: DatastoreError.self) {
            _ = try await store.commit(claim.plan, deadline: Self.deadline)
          })
        #expect(error.code == refusal.code)
        let text = error.description + " " + error.advice
        for word in refusal.words { #expect(text.contains(word), "\(text)") }
      }
    }

    @Test("a refusal half way tells what was written", arguments: refusals)
    func refusedHalfWay(refusal: Refusal) async throws {
      try await Self.withStore { store, transport, claim in
        transport.set { _, index in index == 2 ? .answer(refusal.response) : .none }
        let outcome = try await store.commit(claim.plan, deadline: Self.deadline)
        guard case .unknown(nil, let applied) = outcome else {
          Issue.record("\(outcome)")
          return
        }
        #expect(Set(applied.map(\.key)) == [claim.affinity, claim.handle])
        #expect(applied.allSatisfy { $0.revision != nil })
      }
    }

    @Test(
      "an answer of 500 and more leaves a write in doubt",
      arguments: [
        KubernetesResponse.status(500, reason: "InternalError"), .status(504, reason: "Timeout"), .status(502),
      ])
    func serverErrors(response: KubernetesResponse) async throws {
      try await Self.withStore { store, transport, claim in
        transport.set { _, index in index == 2 ? .answer(response) : .none }
        let outcome = try await store.commit(claim.plan, deadline: Self.deadline)
        guard case .unknown(.some(let doubt), _) = outcome else {
          Issue.record("\(outcome)")
          return
        }
        #expect(doubt == Write(claim.block, .final, revision: nil))
      }
    }

    @Test("a server that wants to be left alone is asked again after that time", arguments: [429, 503])
    func throttled(status: Int) async throws {
      try await Self.withStore { store, transport, claim in
        transport.set { _, index in
          index < 2 ? .answer(.status(status, reason: "TooManyRequests", retryAfter: 1)) : .none
        }
        let outcome3 = try await store.commit(claim.plan, deadline: Self.deadline)
        #expect(outcome3.isApplied)
        #expect(transport.requests.count == 6)
      }
    }

    @Test("who may not wait as long as the server wants is told so at once")
    func throttledBeyondDeadline() async throws {
      try await Self.withStore { store, transport, claim in
        transport.set { _, _ in .answer(.status(429, message: "slow down", retryAfter: 60)) }
        let error = try #require(
          await #expect(throws: DatastoreError.self) {
            _ = try await store.commit(claim.plan, deadline: .after(milliseconds: 5000))
          })
        #expect(error.code == .unavailable)
        #expect(error.description.contains("slow down"))
        #expect(transport.requests.count == 2)
      }
    }

    @Test("a conflict of any kind is one", arguments: ["AlreadyExists", "Conflict"])
    func conflicts(reason: String) async throws {
      try await Self.withStore { store, transport, claim in
        transport.set { request, _ in
          request.method == .post && request.path.contains("ipamblocks") ? .answer(.status(409, reason: reason)) : .none
        }
        let outcome = try await store.commit(claim.plan, deadline: Self.deadline)
        guard case .conflict(claim.block, let applied) = outcome else {
          Issue.record("\(outcome)")
          return
        }
        #expect(Set(applied.map(\.key)) == [claim.affinity, claim.handle])
      }
    }

    @Test(
      "a value that is refused for its identity or version only is a conflict",
      arguments: [["metadata.uid"], ["metadata.resourceVersion"], ["metadata.uid", "metadata.resourceVersion"]])
    func identityRefused(fields: [String]) async throws {
      try await Self.withStore { store, transport, claim in
        let outcome4 = try await store.commit(claim.plan, deadline: Self.deadline)
        #expect(outcome4.isApplied)
        guard case .entry(.some(let stored)) = try await store.read([.entry(claim.handle)], deadline: Self.deadline)[0]
        else {
          Issue.record("the handle is missing")
          return
        }
        transport.set { _, _ in .answer(.status(422, reason: "Invalid", fields: fields)) }
        let change = Change(claim.handle, base: .revision(stored.revision), final: .value(.handle(IPAMHandle())))
        let outcome5 = try await store.commit(Plan([change]), deadline: Self.deadline)
        #expect(outcome5 == .conflict(claim.handle, applied: []))
      }
    }

    @Test("a read is not sent again once it has taken as long as a server may say nothing")
    func silence() async throws {
      try await Self.withStore { _, transport, _ in
        transport.set { _, _ in .requestLost }
        let target = RequestTarget(verb: "list", kind: .block, name: nil, group: .v1)
        let request = KubernetesRequest(.get, ObjectKind.block.path(in: .v1))
        let server = APIServer(transport: transport, patience: 0)
        guard case .failed(let error) = await server.read(request, target, deadline: Self.deadline) else {
          Issue.record("answered")
          return
        }
        #expect(error.code == .unavailable)
        #expect(transport.requests.count == 1)
      }
    }

    @Test("a server out of reach, a bad certificate and lost reads are told as what they are")
    func transports() async throws {
      try await Self.withStore { store, transport, claim in
        let codes: [(KubernetesTransportError.Code, DatastoreError.Code)] = [
          (.unreachable, .unavailable), (.refusedCertificate, .unusable), (.settings, .unusable), (.lost, .unavailable),
        ]
        for (cause, code) in codes {
          transport.set { _, _ in .failure(cause) }
          let error = try #require(
            await #expect(throws: DatastoreError.self) {
              _ = try await store.read([.entry(claim.block)], deadline: Self.deadline)
            })
          #expect(error.code == code)
          #expect(error.advice == "plug it in")
          // Only what may have arrived is asked again.
          #expect(transport.requests.count == (cause == .lost ? 3 : 1))
        }
      }
    }
  }
}

extension Outcome {
  var isApplied: Bool {
    if case .applied = self { true } else { false }
  }
}
