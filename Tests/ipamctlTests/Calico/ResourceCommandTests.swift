import ArgumentParser
import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import ipamctl

@Suite("ipamctl create, apply, delete and get")
final class ResourceCommandTests {
  private let fixture: CalicoFixture

  init() throws { fixture = try CalicoFixture() }

  private static let pools = """
    apiVersion: projectcalico.org/v3
    kind: IPPool
    metadata:
      name: ippool-name1
    spec:
      cidr: 10.0.1.0/24
      ipipMode: Always
      nodeSelector: foo == 'bar'
    ---
    apiVersion: projectcalico.org/v3
    kind: IPPool
    metadata:
      name: ippool-name2
    spec:
      cidr: fed0:8001::/64
    """

  private func node(_ name: String, _ more: String = "") -> String {
    #"{"apiVersion":"projectcalico.org/v3","kind":"Node","metadata":{"name":"\#(name)"\#(more)},"spec":{}}"#
  }

  private func create(_ text: String, _ arguments: String...) async throws -> Transcript {
    let path = try fixture.manifest(text)
    return try await CreateCommand.asyncParse(["-f", path] + arguments).execute(fixture.session)
  }

  private func apply(_ text: String, _ arguments: String...) async throws -> Transcript {
    let path = try fixture.manifest(text)
    return try await ApplyCommand.asyncParse(["-f", path] + arguments).execute(fixture.session)
  }

  private func delete(_ arguments: String...) async throws -> Transcript {
    try await DeleteCommand.asyncParse(arguments).execute(fixture.session)
  }

  private func get(_ arguments: String...) async throws -> Transcript {
    try await GetCommand.asyncParse(arguments).execute(fixture.session)
  }

  // MARK: Writing

  @Test("say how many resources of which kind were written")
  func successes() async throws {
    #expect(try await create(Self.pools) == Transcript(output: "Successfully created 2 'IPPool' resource(s)\n"))
    #expect(try await apply(Self.pools) == Transcript(output: "Successfully applied 2 'IPPool' resource(s)\n"))
    #expect(try await apply(node("n1")) == Transcript(output: "Successfully applied 1 'Node' resource(s)\n"))
    #expect(
      try await apply(Self.pools + "\n---\n" + node("n1"))
        == Transcript(output: "Successfully applied 3 resource(s)\n"))
    #expect(
      try await delete("ippool", "ippool-name1", "ippool-name2")
        == Transcript(output: "Successfully deleted 2 'IPPool' resource(s)\n"))
  }

  @Test("report resources that exist")
  func existing() async throws {
    _ = try await create(node("n1"))
    #expect(
      try await create(node("n1"))
        == .failed(
          "failed to create 'Node' resource: [resource already exists: Node(n1) with error: <nil>]"))
    #expect(
      try await create(node("n1") + "\n---\n" + node("n1"))
        == .failed(
          "failed to create any 'Node' resources: [resource already exists: Node(n1) with error: <nil> "
            + "resource already exists: Node(n1) with error: <nil>]"))
    #expect(
      try await create(node("n1"), "--skip-exists")
        == Transcript(output: "Successfully created 1 'Node' resource(s)\n"))
  }

  @Test("go on after a resource that fails")
  func partialSuccess() async throws {
    _ = try await create(node("n1"))
    let three = [node("n1"), node("n2"), node("n3")].joined(separator: "\n---\n")
    #expect(
      try await create(three)
        == Transcript(
          output: "Partial success: created the first 2 out of 3 'Node' resources:\n",
          errors: "hit error: [resource already exists: Node(n1) with error: <nil>]\n", status: 1))
    // As many failed as worked: calicoctl does not call that a partial success.
    let two = [node("n1"), node("n4")].joined(separator: "\n---\n")
    #expect(
      try await create(two)
        == Transcript(errors: "hit error: [resource already exists: Node(n1) with error: <nil>]\n", status: 1))
    #expect(try await get("node").output.contains("n4"))
  }

  @Test("refuse what breaks a rule, in calicoctl's words")
  func invalid() async throws {
    let pool = { (cidr: String) in
      #"{"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"p"},"spec":{"cidr":"\#(cidr)"}}"#
    }
    #expect(try await apply(pool("10.0.1.0/33")).errors.contains("CIDR = '10.0.1.0/33'"))
    #expect(try await apply(pool("fd5f::1/123")).errors.contains("IPPool.Spec.CIDR = 'fd5f::/123'"))
    #expect(
      try await apply(pool("192.168.0.0/27")).errors.contains(
        "field spec (IP pool size is too small for use with Calico IPAM. "
          + "It must be equal to or greater than the block size.)"))
  }

  @Test("of a namespace for what has none", arguments: ["-nx", "--namespace=x"])
  func namespaces(_ option: String) async throws {
    #expect(try await apply(node("n"), option) == .failed("failed to apply 'Node' resource: [Node is not namespaced]"))
    #expect(try await get("ippool", option) == .failed("IPPool is not namespaced"))
    #expect(
      try await delete("node", "n", option) == .failed("Failed to delete 'Node' resource: Node is not namespaced\n"))
  }

  @Test("delete what exists, and report what does not")
  func deletion() async throws {
    _ = try await create(node("a") + "\n---\n" + node("b"))
    #expect(
      try await delete("nodes", "a", "blah", "b")
        == Transcript(
          output: "Successfully deleted 2 'Node' resource(s)\n",
          errors: "Failed to delete 'Node' resource: resource does not exist: Node(blah) with error: <nil>\n\n",
          status: 1))
    #expect(try await delete("node", "a", "-s") == Transcript(output: "Successfully deleted 1 'Node' resource(s)\n"))
    #expect(try await delete("node", "").errors == "resource name may not be empty\n")
    #expect(try await delete("node").status == 1)
    #expect(try await delete().status == 1)
    #expect(
      try await delete("blockaffinity", "x").errors == """
        resource type 'blockaffinity' is not supported
        BlockAffinity is written by address management alone; 'ipamctl get' shows it, and 'ipamctl ipam' changes what it \
        records

        """)
  }

  @Test("a version in the file is the one that is deleted")
  func versions() async throws {
    _ = try await create(node("a"))
    let path = try fixture.manifest(node("a", #","resourceVersion":"1""#))
    #expect(
      try await delete("-f", path) == .failed("Failed to delete 'Node' resource: update conflict: Node(a)\n"))
  }

  @Test("a pool's blocks belong to nobody when it is deleted, and empty ones go")
  func poolDeletion() async throws {
    _ = try await create(Self.pools)
    try await fixture.block("10.0.1.0/26", "host:n1", [.pod(0, "h", node: "n1")])
    try await fixture.block("10.0.1.64/26", "host:n1")
    let blocks = try [#require(Key(block: "10.0.1.0/26")), #require(Key(block: "10.0.1.64/26"))]
    for case .block(let cidr) in blocks {
      try await fixture.put(.affinity(BlockOwner(.host, "n1"), cidr), #"{"state":"confirmed","deleted":false}"#)
    }
    _ = try await delete("pool", "ippool-name1")
    #expect(try await fixture.text(blocks[0])?.contains(#""affinity":null"#) == true)
    #expect(try await fixture.text(blocks[1]) == nil)
  }

  // MARK: Reading

  @Test("tables pad every cell, and end with an empty line")
  func tables() async throws {
    _ = try await create(Self.pools)
    #expect(
      try await get("ippool", "ippool-name1").output == """
        NAME           CIDR          SELECTOR       
        ippool-name1   10.0.1.0/24   foo == 'bar'   


        """)
    #expect(
      try await get("IPPools", "-o", "wide", "ippool-name1").output == """
        NAME           CIDR          NAT     IPIPMODE   VXLANMODE   DISABLED   DISABLEBGPEXPORT   SELECTOR       ASSIGNMENTMODE   
        ippool-name1   10.0.1.0/24   false   Always     Never       false      false              foo == 'bar'   Automatic        


        """)
    #expect(
      try await get("ippool", "ippool-name1", "ippool-name2", "--export").output == """
        NAME           CIDR          SELECTOR       
        ippool-name1   10.0.1.0/24   foo == 'bar'   

        NAME           CIDR             SELECTOR   
        ippool-name2   fed0:8001::/64   all()      


        """)
    #expect(
      try await get("pool", "-o", "custom-columns=CIDR,NAME").output == """
        CIDR             NAME           
        10.0.1.0/24      ippool-name1   
        fed0:8001::/64   ippool-name2   


        """)
  }

  @Test("an empty list is a header")
  func emptyList() async throws {
    #expect(try await get("nodes").output == "NAME   \n\n")
    #expect(try await get("ipreservation", "-owide").output == "NAME   CIDRS   \n\n")
    #expect(try await get("ipamconfig", "-o", "wide").output.hasPrefix("NAME   STRICTAFFINITY   AUTOALLOCATEBLOCKS   "))
  }

  @Test("nodes show their BGP addresses, and the cluster's number where they have none")
  func nodes() async throws {
    let text = """
      apiVersion: projectcalico.org/v3
      kind: NodeList
      items:
      - {metadata: {name: a}, spec: {bgp: {ipv4Address: 10.0.0.1/24, asNumber: 64600}}}
      - {metadata: {name: b}, spec: {bgp: {ipv6Address: 'fd00::1/64'}}}
      - {metadata: {name: c}}
      """
    #expect(try await apply(text).output == "Successfully applied 3 'Node' resource(s)\n")
    #expect(
      try await get("no", "-o", "wide").output == """
        NAME   ASN       IPV4          IPV6         
        a      64600     10.0.0.1/24                
        b      (64512)                 fd00::1/64   
        c                                           


        """)
  }

  @Test("reserved networks are cut to eighty characters")
  func reservations() async throws {
    let cidrs = (0..<9).map { "10.0.\($0).0/28" }
    let quoted = cidrs.map { "\"\($0)\"" }.joined(separator: ",")
    let head = #"{"apiVersion":"projectcalico.org/v3","kind":"IPReservation","metadata":{"name":"r"},"#
    _ = try await apply(head + #""spec":{"reservedCIDRs":[\#(quoted)]}}"#)
    let output = try await get("reservation", "-o", "wide").output
    let joined = cidrs.joined(separator: ",")
    #expect(output.contains("r      \(joined.prefix(77))...   \n"))
    _ = try await apply(head + #""spec":{"reservedCIDRs":["10.0.0.0/28"]}}"#)
    #expect(try await get("reservation", "-o", "wide").output == "NAME   CIDRS         \nr      10.0.0.0/28   \n\n")
  }

  @Test("a missing resource is an error, and the others are shown")
  func missing() async throws {
    _ = try await create(Self.pools)
    let both = try await get("ippool", "ippool-name1", "ippool-name2")
    let three = try await get("ippool", "ippool-name1", "blah", "ippool-name2")
    #expect(three.output == both.output)
    #expect(three.errors == "resource does not exist: IPPool(blah) with error: <nil>\n")
    #expect(three.status == 1)
  }

  @Test("JSON ends without a line end, one result alone, several in a list")
  func json() async throws {
    _ = try await create(Self.pools)
    let one = try await get("ippool", "ippool-name2", "-o", "json", "--export").output
    #expect(
      one == """
        {
          "kind": "IPPool",
          "apiVersion": "projectcalico.org/v3",
          "metadata": {
            "name": "ippool-name2"
          },
          "spec": {
            "cidr": "fed0:8001::/64",
            "vxlanMode": "Never",
            "ipipMode": "Never",
            "blockSize": 122,
            "nodeSelector": "all()",
            "allowedUses": [
              "Workload",
              "Tunnel"
            ],
            "assignmentMode": "Automatic"
          }
        }
        """)
    let list = try await get("ippool", "-o", "json").output
    #expect(
      list.hasPrefix("{\n  \"kind\": \"IPPoolList\",\n  \"apiVersion\": \"projectcalico.org/v3\",\n  \"metadata\": {"))
    #expect(list.hasSuffix("  ]\n}"))
    #expect(try await get("ippool", "ippool-name1", "ippool-name2", "-ojson").output.hasPrefix("[\n  {\n"))
    #expect(try await get("ippool", "blah", "-ojson").output == "null")
  }

  @Test("YAML can be applied again, and gives the same")
  func yaml() async throws {
    _ = try await create(Self.pools)
    let text = try await get("ippool", "ippool-name1", "-o", "yaml", "--export").output
    #expect(
      text == """
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata:
          name: ippool-name1
        spec:
          allowedUses:
          - Workload
          - Tunnel
          assignmentMode: Automatic
          blockSize: 26
          cidr: 10.0.1.0/24
          ipipMode: Always
          nodeSelector: foo == 'bar'
          vxlanMode: Never

        """)
    #expect(try await apply(text).status == 0)
    #expect(try await get("ippool", "ippool-name1", "-o", "yaml", "--export").output == text)
    let all = try await get("ippool", "-o", "yaml").output
    #expect(try await apply(all).output == "Successfully applied 2 'IPPool' resource(s)\n")
    #expect(try await get("ippool", "blah", "-oyaml").output == "null\n")
  }

  @Test("a file names what to show")
  func fromFile() async throws {
    _ = try await create(Self.pools)
    let path = try fixture.manifest(Self.pools)
    #expect(try await get("-f", path) == get("ippool", "ippool-name1", "ippool-name2"))
  }

  @Test(
    "output formats that cannot be used",
    arguments: [
      ("names", "unrecognized output format 'names'\ndid you mean 'name'?"),
      ("table", "unrecognized output format 'table'"), ("custom-columns=", "need to specify at least one column"),
      ("custom-columns", "need to specify at least one column"), ("go-template", "need to specify a template"),
      ("go-template-file=", "need to specify a template file"),
      (
        "custom-columns=name",
        "unknown heading name, valid values are: NAME, CIDR, NAT, IPIPMODE, VXLANMODE, DISABLED, DISABLEBGPEXPORT, "
          + "SELECTOR, ASSIGNMENTMODE"
      ),
    ])
  func formats(_ format: String, _ text: String) async throws {
    #expect(try await get("ippool", "-o", format) == .failed(text))
  }

  @Test("a node is deleted with its tunnels' addresses and its blocks")
  func nodeDeletion() async throws {
    try await fixture.pool("p", "10.0.0.0/24", blockSize: 30)
    let block = try #require(CIDR("10.0.0.4/30"))
    try await fixture.block("10.0.0.4/30", "host:n1", [.init(1, #"{"handle_id":"ipip-tunnel-addr-n1"}"#)])
    try await fixture.handle("ipip-tunnel-addr-n1", ["10.0.0.4/30": 1])
    let owner = BlockOwner(.host, "n1")
    try await fixture.put(.affinity(owner, block), #"{"state":"confirmed","deleted":false}"#)
    _ = try await apply(
      #"{"apiVersion":"projectcalico.org/v3","kind":"Node","metadata":{"name":"n1"},"#
        + #""spec":{"bgp":{"ipv4IPIPTunnelAddr":"10.0.0.5"}}}"#)
    #expect(try await delete("node", "n1").output == "Successfully deleted 1 'Node' resource(s)\n")
    #expect(try await fixture.text(.block(block)) == nil)
    #expect(try await fixture.text(.handle("ipip-tunnel-addr-n1")) == nil)
    #expect(try await fixture.text(.affinity(owner, block)) == nil)
  }
}

extension Key {
  fileprivate init?(block text: String) {
    guard let cidr = CIDR(text) else { return nil }
    self = .block(cidr)
  }
}
