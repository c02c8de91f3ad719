import ArgumentParser
import CalicoModel
import Datastore
import IPAddressing
import SQLiteDatastore
import Testing

@testable import ipamctl

@Suite("ipamctl ipam check")
final class IPAMCheckTests {
  private let fixture: CalicoFixture

  init() throws { fixture = try CalicoFixture() }

  private func check(_ arguments: String...) async throws -> Transcript {
    try await fixture.check(arguments)
  }

  /// A pod that lives, one whose namespace is gone, an address of nobody known, a tunnel and an address that cools down.
  private func populate() async throws {
    try await fixture.pool("pool1", "10.100.0.0/24", blockSize: 29)
    try await fixture.pool("off", "10.101.0.0/24", #","disabled":true"#)
    try fixture.host.write("", to: "/run/netns/alive")
    try await fixture.evidence("alive", namespace: fixture.namespace("/run/netns/alive"))
    try await fixture.evidence("dead", namespace: .init(path: "/run/netns/dead", file: .init(device: 1, inode: 2)))
    try await fixture.block(
      "10.100.0.0/29", "host:node1",
      [
        .pod(0, "pods.alive", node: "node1"), .pod(1, "pods.dead", node: "node1", "old"),
        .pod(2, "other.c9", node: "node2"), .cooling(3),
        .init(4, #"{"handle_id":"ipip-tunnel-addr-node1","secondary":{"node":"node1","type":"ipipTunnelAddress"}}"#),
        .init(5, #"{"handle_id":"Windows-Reserved-IPAM-Handle","secondary":{"note":"windows host rsvd"}}"#),
      ])
    try await fixture.put(
      .affinity(BlockOwner(.host, "node1"), try #require(CIDR("10.100.0.0/29"))), #"{"state":"confirmed"}"#)
    for handle in ["pods.alive", "pods.dead", "ipip-tunnel-addr-node1"] {
      try await fixture.handle(handle, ["10.100.0.0/29": 1])
    }
    try await fixture.handle("pods.leaked", ["10.100.0.0/29": 1])
    try await fixture.put(
      .resource(.node, "node1"),
      #"{"metadata":{"name":"node1"},"spec":{"bgp":{"ipv4IPIPTunnelAddr":"10.100.0.4"},"#
        + #""ipv4VXLANTunnelAddr":"10.100.0.7","wireguard":{"interfaceIPv4Address":"10.9.9.9"}}}"#)
  }

  private static let head = """
    Checking IPAM for inconsistencies...

    Loading all IPAM blocks...
    Found 1 IPAM blocks.
     IPAM block 10.100.0.0/29 affinity=host:node1:

    """

  private static let middle = """
    IPAM blocks record 6 allocations.

    Loading all IPAM pools...
      10.100.0.0/24
    Found 1 active IP pools.

    Loading all nodes.

    """

  @Test("counts, in calicoctl's words; the datastore has neither services nor endpoints, and says so")
  func counts() async throws {
    try await populate()
    #expect(
      try await check()
        == Transcript(
          output: Self.head + Self.middle + """
            Found 3 node tunnel IPs.

            Loading all service load balancer IPs.
            This datastore holds no services, skipping service check

            Loading all workload endpoints.
            This datastore holds no workload endpoints, using the attachments recorded on this host
            Found 1 workload IPs.
            Workloads and nodes are using 5 IPs.

            Loading all handles
            Looking for top (up to 20) nodes by allocations...
              node1 has 5 allocations
              node2 has 1 allocations
            Node with most allocations has 5; median is 1

            Scanning for IPs that are allocated but not actually in use...
            Found 1 IPs that are allocated in IPAM but not actually in use.
            Found 1 IPs that are allocated in IPAM and not recorded on this host; whether they are in use cannot be told.
            Scanning for IPs that are in use by a workload or node but not allocated in IPAM...
            Found 1 in-use IPs that are not in active IP pools.
            Found 1 in-use IPs that are in active IP pools but have no corresponding IPAM allocation.

            Scanning for IPAM handles with no matching IPs...
            Found 1 handles with no matching IPs (and 3 handles with matches).
            Scanning for IPs with missing handle...
            Found 1 handles mentioned in blocks with no matching handle resource.
            Validating IPAMBlock structures...
            Found 0 invalid IPAMBlocks.
            Check complete; found 5 problems.

            """, status: 2))
  }

  @Test("the addresses with problems, a line each")
  func problems() async throws {
    try await populate()
    let lines = try await check("--show-problem-ips").output.split(separator: "\n").filter { $0.hasPrefix("  ") }
    #expect(
      lines == [
        "  10.100.0.0/24", "  node1 has 5 allocations", "  node2 has 1 allocations",
        "  10.100.0.1 leaked; attrs Main:pods.dead Extra:namespace=default,node=node1,pod=old",
        "  10.100.0.2 is not recorded on this host; attrs Main:other.c9 Extra:namespace=default,node=node2,pod=web",
        "  10.9.9.9 in use by Node(node1) is not in any active IP pool.",
        "  10.100.0.7 in use by Node(node1) and in active IPAM pool but has no IPAM allocation.",
        "  other.c9 is in use in a block but doesn't exist.",
      ])
  }

  @Test("all addresses, a line each")
  func all() async throws {
    try await populate()
    let output = try await check("--show-all-ips").output
    let blocks = """
       IPAM block 10.100.0.0/29 affinity=host:node1:
        10.100.0.0 allocated; attrs Main:pods.alive Extra:namespace=default,node=node1,pod=web
        10.100.0.1 allocated; attrs Main:pods.dead Extra:namespace=default,node=node1,pod=old
        10.100.0.2 allocated; attrs Main:other.c9 Extra:namespace=default,node=node2,pod=web
        10.100.0.3 allocated; attrs Main:<none> Extra:
        10.100.0.4 allocated; attrs Main:ipip-tunnel-addr-node1 Extra:node=node1,type=ipipTunnelAddress
        10.100.0.5 belongs to Reserved for Windows
        10.100.0.5 allocated; attrs Main:Windows-Reserved-IPAM-Handle Extra:note=windows host rsvd
      IPAM blocks record 6 allocations.
      """
    #expect(output.contains(blocks))
    for line in [
      "  10.100.0.4 belongs to Node(node1)", "  10.100.0.0 belongs to Workload(pods/alive)",
      "  10.100.0.1 leaked; attrs", "  pods.leaked doesn't have any active IPs.",
    ] {
      #expect(output.contains(line + (line.hasSuffix("attrs") ? " " : "\n")))
    }
  }

  @Test("an address in a network namespace of the host is in use, recorded or not")
  func namespaces() async throws {
    try await populate()
    try fixture.host.addProcess("7", addresses: ["10.100.0.2", "10.100.0.1"])
    let output = try await check("--show-all-ips").output
    #expect(output.contains("  10.100.0.2 belongs to Workload(network namespace of process 7 (pause))\n"))
    #expect(output.contains("Found 3 workload IPs.\n"))
    #expect(output.contains("Found 0 IPs that are allocated in IPAM but not actually in use.\n"))
  }

  @Test("addresses that cool down are no problem")
  func cooling() async throws {
    try await fixture.pool("p", "10.0.0.0/24")
    try await fixture.block("10.0.0.0/26", "host:n", [.cooling(1), .cooling(2)])
    #expect(try await check().output.hasSuffix("Check complete; found 0 problems.\n"))
  }

  @Test("while the host cannot be looked at, nothing is leaked, and stderr says why")
  func obstacles() async throws {
    try await populate()
    try fixture.host.remove("/proc/1")
    let transcript = try await check()
    #expect(transcript.output.contains("Found 0 IPs that are allocated in IPAM but not actually in use.\n"))
    #expect(transcript.errors.hasPrefix("warning: not all processes can be seen"))
    #expect(transcript.status == 2)
  }

  @Test("an owner twice is reported")
  func owners() async throws {
    try await populate()
    try await fixture.evidence("tunnel")
    try await fixture.block("10.100.0.8/29", nil, [.pod(0, "pods.tunnel", node: "n")])
    try await fixture.put(
      .resource(.node, "n"), #"{"metadata":{"name":"n"},"spec":{"ipv4VXLANTunnelAddr":"10.100.0.8"}}"#)
    #expect(try await check("--show-problem-ips").output.contains("  10.100.0.8 has multiple owners.\n"))
  }

  @Test(
    "blocks that contradict themselves are named, with the first reason",
    arguments: [
      (
        #""allocations":[1,null,null,null],"unallocated":[1,2,3],"attributes":[{}]"#,
        "allocation 0 indexes a nonexistent attribute 1"
      ),
      (
        #""allocations":[-1,null,null,null],"unallocated":[1,2,3],"attributes":[{}]"#,
        "allocation 0 indexes a nonexistent attribute -1"
      ),
      (
        #""allocations":[null,null,null,null],"unallocated":[0,1,2,3],"attributes":[{}]"#,
        "attribute index 0 exists but is not indexed by an allocation"
      ),
      (
        #""allocations":[0,null,null,null],"unallocated":[1,2,3],"attributes":[{"releasedAt":"2036-01-01T00:00:00Z"}]"#,
        "attribute index 0 has releasedAt in the future, suggesting clock skew"
      ),
      (
        #""allocations":[0,null,null,null],"unallocated":[1,2,4],"attributes":[{}]"#,
        "ordinal 4 appears in the Unallocated array but is out of the block"
      ),
      (
        #""allocations":[0,null,null,null],"unallocated":[1,2,2],"attributes":[{}]"#,
        "ordinal 2 appears more than once in Unallocated array"
      ),
      (
        #""allocations":[0,null,null,null],"unallocated":[0,1,2],"attributes":[{}]"#,
        "ordinal 0 is allocated but appears in Unallocated"
      ),
      (
        #""allocations":[0,null,null,null],"unallocated":[1,2],"attributes":[{}]"#,
        "expected 4 addresses in this block, but Unallocated (2) + Allocated (1) = 3"
      ),
    ])
  func validation(_ members: String, _ reason: String) async throws {
    try await fixture.put(.block(try #require(CIDR("10.0.0.0/30"))), "{\(members)}")
    let output = try await check().output
    #expect(
      output.contains("  IPAMBlock BlockKey(cidr=10.0.0.0/30) is invalid: \(reason)\nFound 1 invalid IPAMBlocks.\n"))
  }

  @Test("a block that is no JSON is invalid as well, and an empty one is not")
  func malformed() async throws {
    try await fixture.put(.block(try #require(CIDR("10.0.0.0/30"))), "{")
    try await fixture.block("10.0.0.4/30", "host:n")
    try await fixture.put(
      .affinity(BlockOwner(.host, "n"), try #require(CIDR("10.0.0.4/30"))), #"{"state":"confirmed"}"#)
    let output = try await check().output
    #expect(output.contains("Found 2 IPAM blocks.\n"))
    #expect(output.contains("  IPAMBlock BlockKey(cidr=10.0.0.0/30) is invalid: "))
    #expect(output.contains("Found 1 invalid IPAMBlocks.\nCheck complete; found 1 problems.\n"))
  }
}
