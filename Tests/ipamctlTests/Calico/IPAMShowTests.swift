import ArgumentParser
import CalicoModel
import IPAddressing
import Testing

@testable import ipamctl

/// The tables are those that calicoctl printed for the same data (projectcalico/calico, 2026-08-22).
@Suite("ipamctl ipam show")
final class IPAMShowTests {
  private let fixture: CalicoFixture

  init() throws { fixture = try CalicoFixture() }

  private func show(_ arguments: String...) async throws -> Transcript {
    try await IPAMShowCommand.asyncParse(arguments).execute(fixture.session)
  }

  @Test("an empty datastore has a table without rows")
  func empty() async throws {
    #expect(
      try await show()
        == Transcript(
          output: """
            +----------+------+-----------+------------+--------------+----------+
            | GROUPING | CIDR | IPS TOTAL | IPS IN USE | IPS RESERVED | IPS FREE |
            +----------+------+-----------+------------+--------------+----------+
            +----------+------+-----------+------------+--------------+----------+

            """))
  }

  @Test("pools are counted with their blocks, and blocks follow their pool in the order of their keys")
  func blocks() async throws {
    try await fixture.pool("pool1", "10.101.0.0/28", blockSize: 30)
    try await fixture.put(
      .resource(.ipReservation, "r1"),
      #"{"spec":{"reservedCIDRs":["10.101.0.0/31","10.101.0.4/30","10.101.0.9/32","10.101.0.14/31"]}}"#)
    let pod = { CalicoFixture.Held.pod($0, "h\($0)", node: "node1") }
    try await fixture.block("10.101.0.0/30", "host:node1", [pod(2), pod(3)])
    try await fixture.block("10.101.0.4/30", "host:node1", [pod(1)])
    try await fixture.block("10.101.0.8/30", "host:node1", [pod(0), pod(2), pod(3)])
    try await fixture.block("10.101.0.12/30", "host:node1", [pod(0), pod(1)])
    #expect(
      try await show("--show-blocks").output == """
        +----------+----------------+-----------+------------+--------------+----------+
        | GROUPING | CIDR           | IPS TOTAL | IPS IN USE | IPS RESERVED | IPS FREE |
        +----------+----------------+-----------+------------+--------------+----------+
        | IP Pool  | 10.101.0.0/28  |        16 |    8 (50%) |      9 (56%) |   0 (0%) |
        | Block    | 10.101.0.0/30  |         4 |    2 (50%) |      2 (50%) |   0 (0%) |
        | Block    | 10.101.0.12/30 |         4 |    2 (50%) |      2 (50%) |   0 (0%) |
        | Block    | 10.101.0.4/30  |         4 |    1 (25%) |     4 (100%) |   0 (0%) |
        | Block    | 10.101.0.8/30  |         4 |    3 (75%) |      1 (25%) |   0 (0%) |
        +----------+----------------+-----------+------------+--------------+----------+

        """)
    #expect(try await show().output.contains("Block") == false)
  }

  @Test("what cools down is in use, and blocks without a pool come last, without a row of their own pool")
  func orphans() async throws {
    try await fixture.pool("pool1", "10.100.0.0/24", blockSize: 29)
    try await fixture.block("10.100.0.168/29", "host:node2", [.pod(0, "h1", node: "node2")])
    try await fixture.block("10.100.0.208/29", "host:node1", [.cooling(0)])
    try await fixture.block("10.101.0.208/29", nil, [.pod(0, "h3", node: "node1")])
    #expect(
      try await show("--show-blocks").output == """
        +----------+-----------------+-----------+------------+--------------+-----------+
        | GROUPING | CIDR            | IPS TOTAL | IPS IN USE | IPS RESERVED | IPS FREE  |
        +----------+-----------------+-----------+------------+--------------+-----------+
        | IP Pool  | 10.100.0.0/24   |       256 |     2 (1%) |       0 (0%) | 254 (99%) |
        | Block    | 10.100.0.168/29 |         8 |    1 (12%) |       0 (0%) |   7 (88%) |
        | Block    | 10.100.0.208/29 |         8 |    1 (12%) |       0 (0%) |   7 (88%) |
        | Block    | 10.101.0.208/29 |         8 |    1 (12%) |       0 (0%) |   7 (88%) |
        +----------+-----------------+-----------+------------+--------------+-----------+

        """)
  }

  @Test("a pool with more addresses than numbers go is counted up to the largest number")
  func saturation() async throws {
    try await fixture.pool("pool6", "fd00:10:100::/64", blockSize: 122)
    try await fixture.block("fd00:10:100::c0/122", "host:node1", [.pod(0, "h", node: "node1")])
    #expect(
      try await show("--show-blocks").output == """
        +----------+---------------------+------------+------------+--------------+-------------------+
        | GROUPING | CIDR                | IPS TOTAL  | IPS IN USE | IPS RESERVED | IPS FREE          |
        +----------+---------------------+------------+------------+--------------+-------------------+
        | IP Pool  | fd00:10:100::/64    | 9.2234e+18 |     1 (0%) |       0 (0%) | 9.2234e+18 (100%) |
        | Block    | fd00:10:100::c0/122 |         64 |     1 (2%) |       0 (0%) |          63 (98%) |
        +----------+---------------------+------------+------------+--------------+-------------------+

        """)
  }

  @Test("borrowed addresses are those of other nodes than the block's")
  func borrowed() async throws {
    try await fixture.block(
      "10.101.0.4/30", "host:node2",
      [
        .pod(0, "h0", node: "node2", "b1"), .pod(1, "h1", node: "node1", "a5"), .pod(2, "h2", node: "node1", "a6"),
        .pod(3, "h3", node: "node1", "a7"),
      ])
    let table = """
      +------------+----------------+---------------+-------------+------+--------------+
      | IP         | BORROWING-NODE | BLOCK         | BLOCK OWNER | TYPE | ALLOCATED-TO |
      +------------+----------------+---------------+-------------+------+--------------+
      | 10.101.0.5 | node1          | 10.101.0.4/30 | node2       | pod  | default/a5   |
      | 10.101.0.6 | node1          | 10.101.0.4/30 | node2       | pod  | default/a6   |
      | 10.101.0.7 | node1          | 10.101.0.4/30 | node2       | pod  | default/a7   |
      +------------+----------------+---------------+-------------+------+--------------+

      """
    #expect(try await show("--show-borrowed").output == table)
    try await fixture.block("10.101.0.8/30", "host:node2", [.cooling(0), CalicoFixture.Held(1, "{}")])
    #expect(
      try await show("--show-borrowed").output == table + """

        Note: found 2 IP allocations without an explicit node association. Unable to determine if they are borrowed.

        """)
  }

  @Test("what an address is used for is told by its attributes")
  func borrowedTypes() async throws {
    let virtual = #"{"secondary":{"node":"n1","namespace":"ns","pod":"p","vmi-name":"vm"}}"#
    let tunnel = #"{"secondary":{"node":"n1","type":"ipipTunnelAddress"}}"#
    try await fixture.block(
      "10.0.0.0/30", nil, [.init(0, virtual), .init(1, tunnel), .init(2, #"{"secondary":{"node":"n1"}}"#)])
    #expect(
      try await show("--show-borrowed").output == """
        +----------+----------------+-------------+-------------+-------------------+--------------+
        | IP       | BORROWING-NODE | BLOCK       | BLOCK OWNER | TYPE              | ALLOCATED-TO |
        +----------+----------------+-------------+-------------+-------------------+--------------+
        | 10.0.0.0 | n1             | 10.0.0.0/30 |             | vmi               | ns/vm        |
        | 10.0.0.1 | n1             | 10.0.0.0/30 |             | ipipTunnelAddress |              |
        | 10.0.0.2 | n1             | 10.0.0.0/30 |             |                   |              |
        +----------+----------------+-------------+-------------+-------------------+--------------+

        """)
  }

  @Test("the configuration is shown with words where calicoctl shows a pointer")
  func configuration() async throws {
    try await fixture.put(
      .configuration, #"{"strict_affinity":true,"auto_allocate_blocks":true,"maxBlocksPerHost":2}"#)
    #expect(
      try await show("--show-configuration").output == """
        +------------------------------+---------+
        | PROPERTY                     | VALUE   |
        +------------------------------+---------+
        | StrictAffinity               | true    |
        | AutoAllocateBlocks           | true    |
        | MaxBlocksPerHost             | 2       |
        | KubeVirtVMAddressPersistence | Enabled |
        | IPCooldownSeconds            | 0       |
        +------------------------------+---------+

        """)
  }

  @Test("an address is shown with its handle and the attributes of its owners")
  func address() async throws {
    try await fixture.pool("pool1", "10.100.0.0/24", blockSize: 29)
    let moving =
      #"{"handle_id":"k8s-pod-network.c2","secondary":{"pod":"pod2","namespace":"default","node":"node1"}"#
      + #","alternateOwnerAttrs":{"pod":"pod3"}}"#
    try await fixture.block("10.100.0.208/29", "host:node1", [.cooling(0), .init(1, moving), .init(2, "{}")])
    try await fixture.put(.configuration, #"{"auto_allocate_blocks":true,"ipCooldownSeconds":60}"#)
    #expect(
      try await show("--ip", "10.100.0.209")
        == Transcript(
          output: """
            IP 10.100.0.209 is in use
            Handle ID: k8s-pod-network.c2
            Active Owner Attributes:
              namespace: default
              node: node1
              pod: pod2
            Alternate Owner Attributes:
              pod: pod3

            """))
    #expect(
      try await show("--ip=10.100.0.210").output == """
        IP 10.100.0.210 is in use
        Handle ID: <none>
        No Active Owner attributes defined

        """)
    #expect(
      try await show("--ip=10.100.0.208") == Transcript(errors: "address 10.100.0.208 is in cooldown\n", status: 1))
    for free in ["10.100.0.211", "10.100.0.1", "10.9.9.9"] {
      #expect(try await show("--ip", free) == Transcript(output: "\(free) is not assigned\n"))
    }
    #expect(
      try await show("--ip=10.240.0.300")
        == Transcript(output: "Error executing command: invalid IP address specified: 10.240.0.300\n", status: 1))
  }

  @Test("of several things to show one is shown, the address first")
  func precedence() async throws {
    #expect(try await show("--show-configuration", "--show-borrowed", "--show-blocks").output.contains("GROUPING"))
    #expect(try await show("--show-configuration", "--show-borrowed").output.contains("BORROWING-NODE"))
    #expect(try await show("--show-blocks", "--ip", "10.0.0.1").output == "10.0.0.1 is not assigned\n")
  }

  @Test("the same as a document")
  func documents() async throws {
    try await fixture.pool("pool1", "10.101.0.0/30", blockSize: 30)
    try await fixture.block("10.101.0.0/30", "host:n2", [.pod(1, "h", node: "n1")])
    let pools = try await show("-ojson", "--show-blocks").output
    #expect(pools.contains("\"name\": \"pool1\",\n      \"cidr\": \"10.101.0.0/30\",\n      \"total\": 4"))
    #expect(try await show("-o", "json", "--show-borrowed").output.contains("\"allocatedTo\": \"default/web\""))
    #expect(try await show("-o", "json", "--show-configuration").output.contains("\"autoAllocateBlocks\": true"))
    #expect(try await show("-o", "json", "--ip", "10.101.0.1").output.contains("\"sequenceNumber\": 101"))
  }

  @Test("a block that cannot be read is left out with a warning, and the rest is shown")
  func damage() async throws {
    try await fixture.pool("pool1", "10.101.0.0/28", blockSize: 30)
    try await fixture.block("10.101.0.0/30", "host:n2", [.pod(1, "h", node: "n1")])
    try await fixture.put(
      .block(try #require(.init("10.101.0.4/30"))), #"{"allocations":[0,null,null,null],"unallocated":[1,2,3]}"#)
    let transcript = try await show("--show-blocks")
    #expect(transcript.output.contains("| Block    | 10.101.0.0/30 |"))
    #expect(
      transcript.errors == """
        warning: block 10.101.0.4/30 is left out: allocation 0 indexes a nonexistent attribute 0; \
        'ipamctl ipam check' tells more

        """)
    #expect(transcript.status == 0)
  }
}

@Suite("Numbers of addresses")
struct AddressCountTests {
  @Test(
    "have five digits",
    arguments: [
      (0, "0"), (64, "64"), (65536, "65536"), (131072, "1.3107e+05"), (16_777_216, "1.6777e+07"),
      (Int.max, "9.2234e+18"),
    ])
  func digits(_ count: Int, _ text: String) {
    #expect(AddressCount.text(count) == text)
  }

  @Test(
    "have a share in whole percents, halves to the even one",
    arguments: [
      (3, 8, "3 (38%)"), (5, 8, "5 (62%)"), (1, 8, "1 (12%)"), (7, 8, "7 (88%)"), (1, 64, "1 (2%)"),
      (63, 64, "63 (98%)"), (1, 256, "1 (0%)"), (2, 256, "2 (1%)"), (5, 65536, "5 (0%)"),
      (65531, 65536, "65531 (100%)"),
      (0, 0, "0 (0%)"), (1, 200, "1 (0%)"), (3, 200, "3 (2%)"),
    ])
  func shares(_ part: Int, _ whole: Int, _ text: String) {
    #expect(AddressCount.text(part, of: whole) == text)
  }
}
