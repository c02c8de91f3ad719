import ArgumentParser
import CalicoEngine
import CalicoModel
import Datastore
import Dispatch
import IPAddressing
import JSON
import SQLiteDatastore
import Testing

@testable import ipamctl

@Suite("ipamctl ipam check --fix")
final class IPAMCheckFixTests {
  private let fixture: CalicoFixture

  init() throws { fixture = try CalicoFixture() }

  private func fix(_ arguments: String...) async throws -> Transcript {
    try await fixture.check(["--fix", "--yes", "--unchanged-for", "0"] + arguments)
  }

  private func cidr(_ text: String) throws -> CIDR { try #require(CIDR(text)) }

  /// A block of four addresses with its affinity, and a handle for each address that a handle holds.
  private func block(_ members: String, handles: [String: Int] = [:]) async throws -> Key {
    let key = Key.block(try cidr("10.0.0.0/30"))
    try await fixture.put(
      key, #"{"cidr":"10.0.0.0/30","affinity":"host:n",\#(members),"sequenceNumber":9,"deleted":false}"#)
    try await fixture.put(.affinity(BlockOwner(.host, "n"), try cidr("10.0.0.0/30")), #"{"state":"confirmed"}"#)
    for (name, count) in handles { try await fixture.handle(name, ["10.0.0.0/30": count]) }
    return key
  }

  @Test(
    "a block that contradicts itself is mended in one write, and who has an address keeps it",
    arguments: [
      // Allocations, free ordinals, attributes; what is allocated and free afterwards.
      (#""allocations":[0,5,null,null],"unallocated":[2,3],"attributes":[{"handle_id":"h"}]"#, [0, 1], [2, 3]),
      (#""allocations":[0,-1,null,null],"unallocated":[2,3],"attributes":[{"handle_id":"h"}]"#, [0, 1], [2, 3]),
      (#""allocations":[1,null,null,null],"unallocated":[3,1,2],"attributes":[{},{"handle_id":"h"}]"#, [0], [3, 1, 2]),
      (#""allocations":[0,null,null,null],"unallocated":[1,2,4,3],"attributes":[{"handle_id":"h"}]"#, [0], [1, 2, 3]),
      (#""allocations":[0,null,null,null],"unallocated":[1,2,1,3],"attributes":[{"handle_id":"h"}]"#, [0], [1, 2, 3]),
      (#""allocations":[0,null,null,null],"unallocated":[0,1,2,3],"attributes":[{"handle_id":"h"}]"#, [0], [1, 2, 3]),
      (#""allocations":[0,null,null,null],"unallocated":[3],"attributes":[{"handle_id":"h"}]"#, [0], [3, 1, 2]),
      (#""allocations":[0,null],"unallocated":[1,2],"attributes":[{"handle_id":"h"}]"#, [0, 3], [1, 2]),
      (
        #""allocations":[0,1,null,null],"unallocated":[2,3],"#
          + #""attributes":[{"handle_id":"h"},{"releasedAt":"2036-01-01T00:00:00Z"}]"#, [0, 1], [2, 3]
      ),
    ])
  func mending(_ members: String, _ allocated: [Int], _ free: [Int32]) async throws {
    try await fixture.pool("p", "10.0.0.0/24", blockSize: 30)
    let key = try await block(members, handles: ["h": 1])
    #expect(try await fixture.check([]).output.contains("Found 1 invalid IPAMBlocks.\n"))
    let done = try await fix()
    #expect(done.output.contains("mended block 10.0.0.0/30: "))
    let mended = try #require(try await fixture.session.entry(key)).block(try cidr("10.0.0.0/30"))
    #expect((0..<4).filter { mended.attribute(at: $0) != nil } == allocated)
    #expect(mended.attribute(at: 0)?.handleID == "h")
    #expect(mended.unallocated == free)
    #expect(mended.sequenceNumber == 10)
    #expect(try await fixture.check([]).output.contains("Found 0 invalid IPAMBlocks.\n"))
  }

  @Test("what cannot be read is left alone, and said")
  func unreadable() async throws {
    let key = Key.block(try cidr("10.0.0.0/30"))
    try await fixture.put(key, "{")
    let done = try await fix()
    #expect(done.output.contains("cannot repair block 10.0.0.0/30: "))
    #expect(done.status == 2)
    #expect(try await fixture.text(key) == "{")
  }

  /// Handles and affinities of every kind that does not fit, beside some that do.
  private func populate() async throws {
    try await fixture.pool("p", "10.0.0.0/24", blockSize: 30)
    try await fixture.block("10.0.0.0/30", "host:n", [.pod(0, "h.0", node: "n"), .pod(1, "h.1", node: "n")])
    try await fixture.block("10.0.0.4/30", "host:n", [.pod(0, "h.0", node: "n"), .pod(1, "missing", node: "n")])
    try await fixture.block("10.0.0.8/30", "host:m")
    try await fixture.block("10.0.0.12/30", nil)
    try await fixture.handle("h.0", ["10.0.0.0/30": 1, "10.0.0.4/30": 3])
    try await fixture.handle("h.1", ["10.0.0.0/30": 1])
    try await fixture.handle("orphan", ["10.0.0.0/30": 1, "10.0.9.0/30": 1])
    try await fixture.handle("hollow", [:])
    for (owner, cidr, state) in [
      ("n", "10.0.0.0/30", "confirmed"), ("n", "10.0.0.4/30", "pendingDeletion"), ("n", "10.0.0.8/30", "confirmed"),
      ("n", "10.0.0.12/30", "confirmed"), ("n", "10.0.0.16/30", "pending"),
    ] {
      try await fixture.put(.affinity(BlockOwner(.host, owner), try self.cidr(cidr)), #"{"state":"\#(state)"}"#)
    }
  }

  private static let plan = [
    "create the affinity of host:m to 10.0.0.8/30: it is missing, and the block is its owner's",
    "confirm the affinity of host:n to 10.0.0.4/30: it is pendingDeletion, and the block is its owner's",
    "delete the affinity of host:n to 10.0.0.8/30: the block belongs to host:m",
    "delete the affinity of host:n to 10.0.0.12/30: the block belongs to nobody",
    "delete the affinity of host:n to 10.0.0.16/30: there is no such block",
    "correct handle h.0: it counts 4 addresses and holds 2",
    "delete handle hollow: it holds no address",
    "create handle missing: it is missing, and holds 1 address",
    "delete handle orphan: it holds no address",
    "delete block 10.0.0.12/30: it is empty and belongs to nobody",
  ]

  @Test("without --yes, and with nobody to ask, it says what it would do, and changes nothing")
  func dryRun() async throws {
    try await populate()
    let before = try await fixture.contents()
    let told = try await fixture.check(["--fix", "--unchanged-for", "0"])
    for line in Self.plan { #expect(told.output.contains("would \(line)\n")) }
    #expect(told.output.hasSuffix("Nothing was changed; --yes makes these repairs.\n"))
    #expect(told.status == 2)
    #expect(try await fixture.contents() == before)
  }

  @Test("handles, affinities and empty blocks are set right, and then everything fits")
  func repair() async throws {
    try await populate()
    let done = try await fix()
    #expect(done.output.hasSuffix("Made 10 repairs; 0 left.\n"))
    #expect(done.status == 0)
    #expect(try await fixture.text(.handle("h.0")) == #"{"block":{"10.0.0.0/30":1,"10.0.0.4/30":1},"deleted":false}"#)
    #expect(try await fixture.text(.handle("missing")) == #"{"block":{"10.0.0.4/30":1},"deleted":false}"#)
    for name in ["orphan", "hollow"] { #expect(try await fixture.text(.handle(name)) == nil) }
    let confirmed = try await fixture.text(.affinity(BlockOwner(.host, "m"), try cidr("10.0.0.8/30")))
    #expect(confirmed?.contains("confirmed") == true)
    #expect(try await fixture.text(.block(try cidr("10.0.0.12/30"))) == nil)
    let after = try await fixture.check([])
    #expect(after.output.contains("Found 0 handles with no matching IPs (and 3 handles with matches).\n"))
    #expect(after.output.hasSuffix("Check complete; found 0 problems.\n"))
    #expect(after.status == 0)
  }

  @Test("a person on a terminal is asked, and may decline")
  func question() async throws {
    try await populate()
    var surroundings = IPAMCheckCommand.Surroundings.immediate
    surroundings.ask = { _ in false }
    let told = try await fixture.check(["--fix", "--unchanged-for", "0"], surroundings)
    #expect(told.output.hasSuffix("Nothing was changed; --yes makes these repairs.\n"))
    surroundings.ask = { $0 == "Repair this?" }
    #expect(try await fixture.check(["--fix", "--unchanged-for", "0"], surroundings).status == 0)
  }

  @Test("what may be somebody's work in progress is waited for, and what an earlier run noted counts")
  func patience() async throws {
    try await populate()
    var surroundings = IPAMCheckCommand.Surroundings.immediate
    let told = try await fixture.check(["--fix"], surroundings)
    #expect(told.output.contains("would delete handle orphan once it has been unchanged for 300 s (0 s so far): "))
    var waits: [Int64] = []
    surroundings.now = { 1200 }
    surroundings.wait = { waits.append($0) }
    let done = try await fixture.check(["--fix", "--yes"], surroundings)
    #expect(waits == [100])
    #expect(done.status == 0)
  }

  @Test("a handle that is written while it is waited for is left alone")
  func change() async throws {
    try await populate()
    var surroundings = IPAMCheckCommand.Surroundings.immediate
    let path = fixture.database.path
    surroundings.wait = { _ in
      // Another process counts an address in, and has not written the block yet.
      let other = SQLiteDatastore(path: path)
      let text = #"{"block":{"10.0.0.0/30":2},"deleted":false}"#
      let change = Change(.handle("orphan"), base: .any, final: .value(.resource(Array(text.utf8))))
      blocking { _ = try await other.commit(Plan([change]), deadline: .distantFuture) }
    }
    let done = try await fixture.check(["--fix", "--yes"], surroundings)
    #expect(done.output.contains("left alone handle orphan: it changed meanwhile\n"))
    #expect(done.status == 2)
    #expect(try await fixture.text(.handle("orphan")) != nil)
  }

  // MARK: Addresses

  private func populateAddresses() async throws {
    try await fixture.pool("p", "10.0.0.0/24", blockSize: 29)
    try fixture.host.write("", to: "/run/netns/alive")
    try await fixture.evidence("alive", namespace: fixture.namespace("/run/netns/alive"))
    for name in ["dead", "gone"] {
      try await fixture.evidence(name, namespace: .init(path: "/run/netns/\(name)", file: .init(device: 1, inode: 2)))
    }
    try await fixture.block(
      "10.0.0.0/29", "host:n",
      [
        .pod(0, "pods.alive", node: "n"), .pod(1, "pods.dead", node: "n"), .pod(2, "other", node: "n"),
        .pod(3, "pods.gone", node: "n"), .init(4, "{}"),
      ])
    try await fixture.put(.affinity(BlockOwner(.host, "n"), try cidr("10.0.0.0/29")), #"{"state":"confirmed"}"#)
    for name in ["pods.alive", "pods.dead", "other", "pods.gone"] {
      try await fixture.handle(name, ["10.0.0.0/29": 1])
    }
  }

  private func allocated() async throws -> [Int] {
    let cidr = try cidr("10.0.0.0/29")
    let block = try #require(try await fixture.session.entry(.block(cidr))).block(cidr)
    return (0..<8).filter { block.attribute(at: $0) != nil }
  }

  @Test("addresses are released only with proof, and no more than are allowed")
  func release() async throws {
    try await populateAddresses()
    let first = try await fix("--max-releases", "1")
    #expect(first.output.contains("released 10.0.0.1 of handle pods.dead: its network namespace"))
    #expect(first.output.contains("beyond --max-releases.\n"))
    #expect(first.status == 2)
    #expect(try await allocated() == [0, 2, 3, 4])
    _ = try await fix()
    #expect(try await allocated() == [0, 2, 4])
    #expect(try await fixture.text(.handle("pods.dead")) == nil)
    #expect(try await fixture.evidenceHandles() == ["pods.alive"])
  }

  @Test("an address without an owner is released after 20 minutes in which its block has not changed")
  func unowned() async throws {
    try await populateAddresses()
    _ = try await fix()
    #expect(try await allocated() == [0, 2, 4])
    var surroundings = IPAMCheckCommand.Surroundings.immediate
    _ = try await fixture.check(["--fix"], surroundings)
    surroundings.now = { 1000 + 1199 }
    _ = try await fixture.check(["--fix", "--yes", "--unchanged-for", "0"], surroundings)
    #expect(try await allocated() == [0, 2, 4])
    surroundings.now = { 1000 + 1200 }
    let done = try await fixture.check(["--fix", "--yes", "--unchanged-for", "0"], surroundings)
    #expect(done.output.contains("released 10.0.0.4: nothing is recorded of an owner, and nobody uses it\n"))
    #expect(try await allocated() == [0, 2])
  }

  @Test("each repair is logged with what it is based on")
  func log() async throws {
    try await populateAddresses()
    try await fixture.handle("orphan", ["10.0.0.0/29": 1])
    _ = try await fix("--log", fixture.host.root + "/log")
    let lines = try String(decoding: HostFiles.contents(of: fixture.host.root + "/log"), as: UTF8.self).split(
      separator: "\n")
    let entries = try lines.map { try #require(try JSON(parsing: Array($0.utf8)).objectValue) }
    #expect(entries.map { $0["outcome"]?.stringValue } == ["repaired", "repaired", "repaired"])
    #expect(entries[0]["entry"] == "/calico/ipam/v2/handle/orphan")
    #expect(entries[0]["evidence"] == ["it holds no address"])
    #expect(entries[1]["handle"] == "pods.dead")
    #expect(entries[1]["addresses"]?.arrayValue?.first?.objectValue?["sequenceNumber"]?.numberValue?.int64 == 101)
  }

  @Test(
    "flags that say nothing without --fix are refused",
    arguments: [["--yes"], ["--max-releases", "1"], ["--log", "x"], ["--fix", "--unchanged-for", "-1"]])
  func refusals(_ arguments: [String]) async {
    await #expect(throws: (any Error).self) { try await IPAMCheckCommand.asyncParse(arguments) }
  }
}

/// Runs something asynchronous to its end from where nothing can be awaited.
private func blocking(_ body: @escaping @Sendable () async throws -> Void) {
  let done = DispatchSemaphore(value: 0)
  Task.detached {
    defer { done.signal() }
    try await body()
  }
  done.wait()
}
