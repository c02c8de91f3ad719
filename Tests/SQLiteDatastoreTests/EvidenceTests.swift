import CalicoModel
import Datastore
import SQLiteDatastore
import Testing

@Suite("Evidence in SQLite")
struct EvidenceTests {
  let scratch: ScratchStore
  let store: SQLiteDatastore

  init() throws {
    scratch = try ScratchStore()
    store = scratch.open()
  }

  private func evidence(_ handle: String, _ interface: String = "eth0", boot: String = "b1") -> AttachmentEvidence {
    let file = AttachmentEvidence.Namespace.File(device: 4, inode: .max)
    return AttachmentEvidence(
      handle: handle, network: "net", containerID: "container-" + handle, interfaceName: interface, machineID: "m",
      bootID: boot, namespace: .init(path: "/run/netns/" + handle, file: file), recordedAt: 1_700_000_000
    )
  }

  @Test("what is recorded is listed as it was, by handle and interface")
  func roundTrip() async throws {
    var plain = evidence("b")
    plain.namespace = nil
    var unseen = evidence("a", "eth1")
    unseen.namespace?.file = nil
    try await store.record([plain, unseen, evidence("a")], deadline: .soon)
    #expect(try await scratch.open().evidence(deadline: .soon) == [evidence("a"), unseen, plain])
  }

  @Test("later evidence of the same attachment takes the place of the earlier")
  func replaces() async throws {
    try await store.record([evidence("a")], deadline: .soon)
    try await store.record([evidence("a", boot: "b2")], deadline: .soon)
    #expect(try await store.evidence(deadline: .soon) == [evidence("a", boot: "b2")])
  }

  @Test("what is recorded of a handle is forgotten for all interfaces")
  func forgets() async throws {
    try await store.record([evidence("a"), evidence("a", "eth1"), evidence("b")], deadline: .soon)
    try await store.forget("a", deadline: .soon)
    try await store.forget("missing", deadline: .soon)
    #expect(try await store.evidence(deadline: .soon) == [evidence("b")])
  }

  @Test("evidence is written with the plan, or not at all")
  func withPlan() async throws {
    try await store.record([evidence("old")], deadline: .soon)
    let plan = Plan([Change(.handle("a"), base: .absent, final: .value(.text("x")))])
    let outcome = try await store.commit(plan, recording: [evidence("a")], forgetting: ["old"], deadline: .soon)
    #expect(outcome == .applied([.handle("a"): Revision(1)]))
    #expect(try await store.evidence(deadline: .soon) == [evidence("a")])

    let again = try await store.commit(plan, recording: [evidence("b")], forgetting: ["a"], deadline: .soon)
    #expect(again == .conflict(.handle("a"), applied: []))
    #expect(try await store.evidence(deadline: .soon) == [evidence("a")])
  }

  @Test("evidence alone does not count as a change of entries")
  func noRevision() async throws {
    try await store.record([evidence("a")], deadline: .soon)
    #expect(try await store.put((.handle("a"), "1")) == .applied([.handle("a"): Revision(1)]))
  }

  @Test("a store that does not exist has no evidence")
  func missing() async throws {
    #expect(try await store.evidence(deadline: .soon).isEmpty)
    #expect(scratch.names("state").isEmpty)
  }
}
