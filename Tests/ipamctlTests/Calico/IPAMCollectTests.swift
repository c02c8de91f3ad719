import ArgumentParser
import CalicoModel
import Datastore
import IPAddressing
import JSON
import SQLiteDatastore
import Testing

@testable import ipamctl

@Suite("ipamctl ipam gc")
final class IPAMCollectTests {
  private let fixture: CalicoFixture
  private static let block = "10.100.0.0/29"
  private static let gone = AttachmentEvidence.Namespace(path: "/run/netns/gone", file: .init(device: 1, inode: 2))

  init() throws { fixture = try CalicoFixture() }

  private func collect(_ arguments: String..., now: Int64 = 1000) async throws -> Transcript {
    let command = try await IPAMCollectCommand.asyncParse(["--root", fixture.host.root] + arguments)
    return try await command.execute(fixture.session, now: now) { _ in }
  }

  /// Containers that hold an address each.
  private func populate(_ containers: String...) async throws {
    try await fixture.pool("pool1", "10.100.0.0/24", blockSize: 29)
    try await fixture.block(
      Self.block, "host:node1", containers.enumerated().map { .pod($0, "pods.\($1)", node: "node1") })
    for container in containers { try await fixture.handle("pods.\(container)", [Self.block: 1]) }
  }

  private func held() async throws -> String {
    let text = try await fixture.text(.block(try #require(CIDR(Self.block)))) ?? ""
    return String(text.split(separator: "\"allocations\":")[1].prefix { $0 != "]" }.dropFirst())
  }

  @Test("shows what an earlier boot left, and changes nothing")
  func dryRun() async throws {
    try await populate("old", "new")
    try await fixture.evidence("old", boot: "11111111-2222-3333-4444-555555555555")
    try await fixture.evidence("new")
    #expect(
      try await collect()
        == Transcript(
          output: """
            would release 10.100.0.0: handle pods.old, container old, interface eth0 of network 'pods'; dead: it was \
            recorded in an earlier boot of this machine, which no container survives; the one network namespace of this \
            host does not have the address
            Nothing was changed; --apply releases and repairs.

            """))
    #expect(try await held() == "0,1,null,null,null,null,null,null")
    #expect(try await fixture.evidenceHandles() == ["pods.new", "pods.old"])
  }

  @Test("releases it on demand, with its handle and its evidence")
  func apply() async throws {
    try await populate("old", "new")
    try await fixture.evidence("old", boot: "11111111-2222-3333-4444-555555555555")
    try await fixture.evidence("new")
    let output = try await collect("--apply").output
    #expect(output.hasPrefix("released 10.100.0.0: handle pods.old, "))
    #expect(output.split(separator: "\n").count == 1)
    #expect(try await held() == "null,0,null,null,null,null,null,null")
    #expect(try await fixture.text(.handle("pods.old")) == nil)
    #expect(try await fixture.evidenceHandles() == ["pods.new"])
    #expect(try await collect("--apply").output == "Nothing to release: no recorded attachment is dead.\n")
  }

  @Test("a network namespace that is gone or was replaced proves death within a boot")
  func namespaces() async throws {
    try await populate("gone", "replaced", "there", "unseen")
    for name in ["replaced", "there", "unseen"] { try fixture.host.write("", to: "/run/netns/\(name)") }
    try await fixture.evidence("gone", namespace: Self.gone)
    try await fixture.evidence("replaced", namespace: fixture.namespace("/run/netns/replaced"))
    try await fixture.evidence("there", namespace: fixture.namespace("/run/netns/there"))
    try await fixture.evidence("unseen", namespace: .init(path: "/run/netns/unseen"))
    try fixture.host.replace("/run/netns/replaced", with: "other")
    let lines = try await collect().output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].contains("dead: its network namespace /run/netns/gone is gone; "))
    #expect(
      lines[1].contains("dead: its network namespace /run/netns/replaced is gone, and another one is in its place; "))
  }

  @Test("an address that a network namespace of the host has is never released")
  func addressVeto() async throws {
    try await populate("old")
    try await fixture.evidence("old", boot: "11111111-2222-3333-4444-555555555555")
    try fixture.host.addProcess("7", addresses: ["10.100.0.0"])
    #expect(try await collect("--apply").output == "Nothing to release: no recorded attachment is dead.\n")
  }

  @Test("a container that a runtime knows is never released")
  func runtimeVeto() async throws {
    try await populate("old")
    try await fixture.evidence("old", namespace: Self.gone)
    try fixture.host.addRuntime(["old"])
    #expect(try await collect("--apply").output == "Nothing to release: no recorded attachment is dead.\n")
  }

  @Test("what has no evidence is kept, and so is what was recorded elsewhere")
  func doubt() async throws {
    try await populate("nobody", "elsewhere", "nowhere")
    try await fixture.evidence("elsewhere", boot: "another", machine: "fedcba9876543210fedcba9876543210")
    try await fixture.evidence("nowhere", boot: "another", machine: "")
    #expect(try await collect("--apply").output == "Nothing to release: no recorded attachment is dead.\n")
    #expect(try await held() == "0,1,2,null,null,null,null,null")
  }

  @Test("a handle of several interfaces is dead when all of them are")
  func interfaces() async throws {
    try await populate("two")
    try fixture.host.write("", to: "/run/netns/two")
    try await fixture.evidence("two", namespace: Self.gone)
    try await fixture.evidence("two", namespace: fixture.namespace("/run/netns/two"), interface: "eth1")
    #expect(try await collect().output == "Nothing to release: no recorded attachment is dead.\n")
    try fixture.host.remove("/run/netns/two")
    #expect(try await collect().output.contains("container two, interface eth0, eth1 of network 'pods'; dead: "))
  }

  @Test("while not everything can be looked at, nothing is dead, and the status says so")
  func obstacles() async throws {
    try await populate("old")
    try await fixture.evidence("old", boot: "11111111-2222-3333-4444-555555555555")
    try fixture.host.remove("/proc/1")
    let transcript = try await collect("--apply")
    #expect(
      transcript.output == "Nothing to release: not everything could be looked at, so nothing is taken for dead.\n")
    #expect(transcript.errors.hasPrefix("warning: "))
    #expect(transcript.status == 1)
  }

  @Test("what changes between the two looks is left alone")
  func change() async throws {
    try await populate("old")
    try await fixture.evidence("old", boot: "11111111-2222-3333-4444-555555555555")
    let command = try await IPAMCollectCommand.asyncParse(["--root", fixture.host.root, "--apply"])
    let host = fixture.host
    let transcript = try await command.execute(fixture.session, now: 0) { _ in
      try host.addProcess("7", addresses: ["10.100.0.0"])
    }
    #expect(transcript.output == "Nothing to release: no recorded attachment is dead.\n")
  }

  @Test("a limit keeps the rest for later")
  func limit() async throws {
    try await populate("a", "b", "c")
    for container in ["a", "b", "c"] { try await fixture.evidence(container, namespace: Self.gone) }
    let output = try await collect("--apply", "--max-releases", "2").output
    #expect(output.hasSuffix("\n1 more handle beyond --max-releases.\n"))
    #expect(try await held() == "null,null,0,null,null,null,null,null")
  }

  @Test("a dead record without an address is forgotten")
  func record() async throws {
    try await fixture.evidence("gone", namespace: Self.gone)
    #expect(
      try await collect().output.hasPrefix(
        "would forget handle pods.gone, container gone, interface eth0 of network 'pods', which holds no address; dead: "
      ))
    #expect(try await collect("--apply").output.hasPrefix("forgot handle pods.gone, "))
    #expect(try await fixture.evidenceHandles() == [])
  }

  @Test("the same as a document")
  func document() async throws {
    try await populate("old")
    try await fixture.evidence("old", namespace: Self.gone)
    let output = try await collect("--apply", "-o", "json").output
    let document = try #require(try JSON(parsing: Array(output.utf8)).objectValue)
    #expect(document["applied"]?.boolValue == true)
    let attachment = document["attachments"]?.arrayValue?.first?.objectValue
    #expect(attachment?["container"]?.stringValue == "old")
    let address = attachment?["addresses"]?.arrayValue?.first?.objectValue
    #expect(address?["address"]?.stringValue == "10.100.0.0")
    #expect(address?["sequenceNumber"]?.numberValue?.int64 == 100)
    #expect(address?["released"]?.boolValue == true)
    let codes = attachment?["reasons"]?.arrayValue?.compactMap { $0.objectValue?["code"]?.stringValue }
    #expect(codes == ["recordedNamespaceGone", "addressConfiguredNowhere"])
  }

  // MARK: Repairs

  @Test("a block that is empty and belongs to nobody is deleted")
  func emptyBlock() async throws {
    try await fixture.pool("pool1", "10.100.0.0/24", blockSize: 29)
    try await fixture.block("10.100.0.8/29", nil)
    try await fixture.block("10.100.0.16/29", nil, [.cooling(1)])
    try await fixture.block("10.100.0.24/29", "host:n")
    #expect(
      try await collect().output.contains("would delete block 10.100.0.8/29: it is empty and belongs to nobody\n"))
    let output = try await collect("--apply").output
    #expect(output.contains("deleted block 10.100.0.8/29: it was empty and belonged to nobody\n"))
    // Without a cool-down in the configuration, what cools down is free.
    #expect(output.contains("deleted block 10.100.0.16/29: "))
    #expect(try await fixture.text(.block(try #require(CIDR("10.100.0.24/29")))) != nil)
    #expect(try await fixture.text(.block(try #require(CIDR("10.100.0.8/29")))) == nil)
  }

  @Test("handles and affinities are repaired when they were wrong five minutes ago, and not before")
  func faults() async throws {
    try await populate("c1", "c2", "c3")
    try await fixture.handle("pods.c1", [Self.block: 3])
    try await fixture.handle("pods.leaked", [Self.block: 1])
    try await fixture.handle("pods.void", [:])
    let other = try #require(CIDR("10.100.0.8/29"))
    try await fixture.put(.affinity(BlockOwner(.host, "n9"), other), #"{"state":"pending","deleted":false}"#)
    let deletion = Plan([Change(.handle("pods.c3"), base: .any, final: .delete)])
    _ = try await fixture.database.commit(deletion, deadline: .distantFuture)
    #expect(
      try await collect().output.hasSuffix(
        "5 handles or affinities do not fit the blocks; --repair-handles looks into it.\n"))
    let first = try await collect("--repair-handles", "--apply").output
    #expect(
      first == """
        Nothing to release: no recorded attachment is dead.
        handle pods.c1: it counts 3 addresses and holds 1; look again in 300 seconds or later
        handle pods.c3: it is missing, and holds 1 address; look again in 300 seconds or later
        handle pods.leaked: it holds no address; look again in 300 seconds or later
        handle pods.void: it holds no address; look again in 300 seconds or later
        the affinity of host:n9 to 10.100.0.8/29: there is no such block; look again in 300 seconds or later

        """)
    #expect(try await collect("--repair-handles", now: 1299).output.contains("look again in 1 seconds or later"))
    // Somebody is at work on one of them.
    try await fixture.handle("pods.leaked", [Self.block: 2])
    let plan = try await collect("--repair-handles", now: 1300).output
    #expect(plan.contains("would correct handle pods.c1: it counts 3 addresses and holds 1\n"))
    #expect(plan.contains("handle pods.leaked: it holds no address; look again in 300 seconds or later\n"))
    #expect(plan.hasSuffix("Nothing was changed; --apply releases and repairs.\n"))
    let done = try await collect("--repair-handles", "--apply", now: 1301).output
    #expect(done.contains("corrected handle pods.c1: it counts 3 addresses and holds 1\n"))
    #expect(done.contains("corrected handle pods.void: it holds no address\n"))
    #expect(done.contains("corrected handle pods.c3: it is missing, and holds 1 address\n"))
    #expect(done.contains("deleted the affinity of host:n9 to 10.100.0.8/29: there is no such block\n"))
    #expect(try await fixture.text(.handle("pods.c1")) == #"{"block":{"10.100.0.0/29":1},"deleted":false}"#)
    #expect(try await fixture.text(.handle("pods.c3")) == #"{"block":{"10.100.0.0/29":1},"deleted":false}"#)
    #expect(try await fixture.text(.handle("pods.void")) == nil)
    #expect(try await fixture.text(.handle("pods.leaked")) != nil)
    #expect(try await fixture.text(.affinity(BlockOwner(.host, "n9"), other)) == nil)
    let rest = try await collect("--repair-handles", "--apply", now: 1600).output
    #expect(rest.hasSuffix("corrected handle pods.leaked: it holds no address\n"))
  }

  @Test("notes of another boot do not count")
  func reboot() async throws {
    try await fixture.handle("pods.void", [:])
    _ = try await collect("--repair-handles", now: 1000)
    try fixture.host.write("22222222-2222-3333-4444-555555555555\n", to: "/proc/sys/kernel/random/boot_id")
    #expect(try await collect("--repair-handles", now: 2000).output.contains("look again in 300 seconds or later"))
    #expect(try await collect("--repair-handles", now: 2300).output.contains("would correct handle pods.void"))
  }

  @Test(
    "bad values are usage errors", arguments: [["--interval", "0"], ["--max-releases", "0"], ["--database", ""]])
  func usage(_ arguments: [String]) async {
    await #expect(throws: (any Error).self) { try await IPAMCollectCommand.asyncParse(arguments) }
  }
}

@Suite("Judging attachments")
struct AttachmentVerdictTests {
  private static func facts(_ records: AttachmentFacts.Record...) -> AttachmentFacts {
    var facts = AttachmentFacts()
    facts.records = records
    facts.namespaceCount = 3
    return facts
  }

  private static let earlier = AttachmentFacts.Record(origin: .earlierBoot, namespace: .remains(path: "/n"))
  private static let elsewhere = AttachmentFacts.Record(origin: .elsewhere, namespace: .gone(path: "/n"))
  private static let gone = AttachmentFacts.Record(origin: .thisBoot, namespace: .gone(path: "/n"))
  private static let replaced = AttachmentFacts.Record(origin: .thisBoot, namespace: .replaced(path: "/n"))
  private static let there = AttachmentFacts.Record(origin: .thisBoot, namespace: .remains(path: "/n"))
  private static let unrecorded = AttachmentFacts.Record(origin: .thisBoot, namespace: .unrecorded)

  @Test(
    "is by evidence, and doubt is never death",
    arguments: [
      (facts(earlier), Liveness.dead), (facts(gone), .dead), (facts(replaced), .dead), (facts(gone, earlier), .dead),
      (facts(elsewhere), .unknown), (facts(there), .unknown), (facts(unrecorded), .unknown),
      (facts(gone, there), .unknown), (facts(earlier, elsewhere), .unknown), (facts(), .unknown),
    ])
  func evidence(_ facts: AttachmentFacts, _ liveness: Liveness) {
    #expect(Verdict.judge(facts).liveness == liveness)
  }

  @Test("is outweighed by whatever speaks for life")
  func vetoes() {
    for record in [Self.earlier, Self.gone] {
      var facts = Self.facts(record)
      facts.isLookComplete = false
      #expect(Verdict.judge(facts) == Verdict(.unknown, [.lookIncomplete]))
      facts.runtimeDirectory = "/run/runc/c"
      #expect(Verdict.judge(facts) == Verdict(.alive, [.knownToRuntime(directory: "/run/runc/c")]))
      facts.holder = "network namespace x"
      #expect(Verdict.judge(facts) == Verdict(.alive, [.configured(in: "network namespace x")]))
    }
  }
}
