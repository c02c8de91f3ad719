import ArgumentParser
import CalicoBackend
import CalicoModel
import Datastore
import DatastoreMigration
import IPAddressing
import JSON
import Testing

@testable import ipamctl

@Suite("ipamctl ipam split")
final class IPAMSplitTests {
  private let fixture: CalicoFixture

  init() throws { fixture = try CalicoFixture() }

  private func split(_ arguments: String...) async throws -> Transcript {
    try await IPAMSplitCommand.asyncParse(arguments).execute(fixture.session)
  }

  /// The pool of the catalogue (calicoctl specification, section 8.3, case 60), on a locked datastore.
  private func prepare(isLocked: Bool = true) async throws {
    let text = """
      apiVersion: projectcalico.org/v3
      kind: IPPool
      metadata:
        name: ippool-name1
        labels: {team: a}
      spec: {cidr: 10.0.1.0/24, blockSize: 27, nodeSelector: foo == 'bar', ipipMode: Always}
      """
    let path = try fixture.manifest(text)
    let created = try await CreateCommand.asyncParse(["-f", path]).execute(fixture.session)
    try #require(created.status == 0)
    if isLocked { try await fixture.session.migrationLock.lock() }
  }

  private func pools() async throws -> [Resource] { try await fixture.session.resources.list(.ipPool).items }

  private func cidrs() async throws -> [String] {
    try await pools().map { "\($0.name) \($0.specification["cidr"]?.stringValue ?? "")" }
  }

  @Test(
    "puts smaller pools in the place of one, by name and by network",
    arguments: [
      ["--name", "ippool-name1"], ["--cidr=10.0.1.0/24"], ["--cidr", "10.9.9.0/24", "--name=ippool-name1"],
    ])
  func splitting(_ options: [String]) async throws {
    try await prepare()
    let transcript = try await IPAMSplitCommand.asyncParse(["4"] + options).execute(fixture.session)
    #expect(
      transcript
        == Transcript(
          output: """
            IP Pool ippool-name1 was successfully split into 4 smaller pools.Created split-ippool-name1-0 with CIDR 10.0.1.0/26.
            Created split-ippool-name1-1 with CIDR 10.0.1.64/26.
            Created split-ippool-name1-2 with CIDR 10.0.1.128/26.
            Created split-ippool-name1-3 with CIDR 10.0.1.192/26.
            Please refer to the documentation for final steps.
            """))
    #expect(
      try await cidrs() == [
        "split-ippool-name1-0 10.0.1.0/26", "split-ippool-name1-1 10.0.1.64/26", "split-ippool-name1-2 10.0.1.128/26",
        "split-ippool-name1-3 10.0.1.192/26",
      ])
    for pool in try await pools() {
      #expect(pool.specification["blockSize"] == 27)
      #expect(pool.specification["nodeSelector"] == "foo == 'bar'")
      #expect(pool.specification["ipipMode"] == "Always")
      #expect(pool.specification["disabled"] == nil)
      #expect(pool.metadata["labels"] == ["team": "a"])
      #expect(pool.uid != nil)
    }
  }

  @Test("leaves blocks and affinities with whom they are with")
  func blocks() async throws {
    try await prepare()
    try await fixture.block("10.0.1.0/27", "host:n1", [.pod(0, "h", node: "n1")])
    try await fixture.block("10.0.1.64/27", "host:n1")
    let key = Key.affinity(BlockOwner(.host, "n1"), try #require(CIDR("10.0.1.64/27")))
    try await fixture.put(key, #"{"state":"confirmed","deleted":false}"#)
    let before = try await fixture.text(.block(try #require(CIDR("10.0.1.64/27"))))
    #expect(try await split("2", "--name", "ippool-name1").status == 0)
    #expect(try await fixture.text(.block(try #require(CIDR("10.0.1.64/27")))) == before)
    #expect(try await fixture.text(key) != nil)
  }

  @Test(
    "refuses what cannot be, and changes nothing",
    arguments: [
      ([], "accepts 1 arg(s), received 0"), (["2", "4"], "accepts 1 arg(s), received 2"),
      (
        ["x", "--name=a"],
        "error reading number to split IP pools into. x is not a valid number: strconv.Atoi: parsing \"x\": invalid syntax"
      ),
      (
        ["99999999999999999999", "--name=a"],
        "error reading number to split IP pools into. 99999999999999999999 is not a valid number: strconv.Atoi: parsing "
          + "\"99999999999999999999\": value out of range"
      ),
      (["4"], "no name or CIDR provided. Provide a name or CIDR to denote the IP pool to split"),
      (
        ["4", "--cidr=10.0.2.0/24"],
        "unable to find IP pool  covering the specified CIDR 10.0.2.0/24"
      ),
      (
        ["4", "--name=ippool-nam1"],
        "unable to find IP pool with name ippool-nam1: resource does not exist: IPPool(ippool-nam1) with error: <nil>\n"
          + "did you mean 'ippool-name1'?"
      ),
      (
        ["3", "--name=ippool-name1"],
        "error splitting the CIDR 10.0.1.0/24 into 3 CIDRs: number to split CIDR into is not a valid power of 2: 3"
      ),
      (
        ["0", "--name=ippool-name1"],
        "error splitting the CIDR 10.0.1.0/24 into 0 CIDRs: number to split CIDR into is not a valid power of 2: 0"
      ),
      (
        ["1", "--name=ippool-name1"],
        "error splitting the CIDR 10.0.1.0/24 into 1 CIDRs: number to split CIDR into is not a valid power of 2: 1"
      ),
      (
        ["512", "--name=ippool-name1"],
        "error splitting the CIDR 10.0.1.0/24 into 512 CIDRs: the CIDR 10.0.1.0/24 is not large enough to be split into "
          + "512 parts"
      ),
      (
        ["16", "--name=ippool-name1"],
        "error splitting the CIDR 10.0.1.0/24 into 16 CIDRs: the CIDR 10.0.1.0/24 is not large enough to be split into "
          + "16 parts: a part would be a /28, and blocks are /27"
      ),
    ])
  func refusals(_ arguments: [String], _ reason: String) async throws {
    try await prepare()
    #expect(try await IPAMSplitCommand.asyncParse(arguments).execute(fixture.session) == .failed(reason))
    let pools = try await pools()
    #expect(pools.map(\.name) == ["ippool-name1"])
    #expect(pools[0].specification["disabled"] == nil)
  }

  @Test("wants a lock")
  func lock() async throws {
    try await prepare(isLocked: false)
    #expect(
      try await split("4", "--name", "ippool-name1")
        == .failed(
          "datastore is not locked. Run the `ipamctl datastore migrate lock` command in order split the IP pools"))
  }

  @Test("refuses when a pool of such a name is in the way")
  func obstacle() async throws {
    try await prepare()
    try await fixture.pool("split-ippool-name1-1", "10.7.0.0/24")
    #expect(
      try await split("2", "--name", "ippool-name1")
        == .failed(
          "error splitting the IP pool: there is an IP pool split-ippool-name1-1 with CIDR 10.7.0.0/24 already; "
            + "delete it first"))
    #expect(try await cidrs().first == "ippool-name1 10.0.1.0/24")
  }

  @Test("goes on where it was cut off")
  func resumption() async throws {
    try await prepare()
    let client = fixture.session.resources
    try await client.edit(.ipPool, "ippool-name1") { PoolParts.retired($0) }
    let parts = try PoolParts(of: try await client.get(.ipPool, "ippool-name1"), number: 2).pools
    _ = try await client.createOverlapping(parts[0])
    #expect(try await split("2", "--name", "ippool-name1").status == 0)
    #expect(
      try await cidrs() == ["split-ippool-name1-0 10.0.1.0/25", "split-ippool-name1-1 10.0.1.128/25"])
  }
}

@Suite("The parts of a pool")
struct PoolPartsTests {
  private func pool(_ name: String, _ cidr: String, _ more: JSONObject = [:]) -> Resource {
    Resource(.ipPool, name: name, specification: JSONObject([.init(key: "cidr", value: .string(cidr))] + more.members))
  }

  @Test("cover it, in IPv6 as well")
  func cidrs() throws {
    let parts = try PoolParts(of: pool("p", "fd5f::/64"), number: 4).pools
    #expect(
      parts.map { $0.specification["cidr"]?.stringValue } == [
        "fd5f::/66", "fd5f::4000:0:0:0/66", "fd5f::8000:0:0:0/66", "fd5f::c000:0:0:0/66",
      ])
  }

  @Test("have names that are not too long")
  func names() throws {
    let parts = try PoolParts(of: pool(String(repeating: "n", count: 250), "10.0.0.0/24"), number: 2).pools
    #expect(parts[1].name == "split-" + String(repeating: "n", count: 245) + "-1")
  }

  @Test("are in use, even where the pool is not")
  func disabled() throws {
    #expect(
      try PoolParts(of: pool("p", "10.0.0.0/24", ["disabled": true]), number: 2).pools[0].specification["disabled"]
        == nil)
  }

  @Test("while they are made the pool is out of use, and kept by no controller")
  func retired() throws {
    var pool = pool("p", "10.0.0.0/24")
    pool.metadata["finalizers"] = ["projectcalico.org/ippool-finalizer", "example.org/mine"]
    let retired = PoolParts.retired(pool)
    #expect(retired.specification["disabled"] == true)
    #expect(retired.metadata["finalizers"] == ["example.org/mine"])
    pool.metadata["finalizers"] = ["projectcalico.org/ippool-finalizer"]
    #expect(PoolParts.retired(pool).metadata["finalizers"] == nil)
  }

  @Test("are not made of what has no range", arguments: ["", "x", "10.0.0.0/33"])
  func noRange(_ cidr: String) {
    #expect(throws: PoolParts.Refusal.self) { try PoolParts(of: pool("p", cidr), number: 2) }
  }
}
