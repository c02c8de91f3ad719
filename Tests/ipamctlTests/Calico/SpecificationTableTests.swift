import ArgumentParser
import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import ipamctl

/// The examples of the specification of calicoctl, section 3.2, character by character.
@Suite("Tables of the specification")
final class SpecificationTableTests {
  private let fixture: CalicoFixture

  init() throws { fixture = try CalicoFixture() }

  private func show(_ arguments: String...) async throws -> Transcript {
    try await IPAMShowCommand.asyncParse(arguments).execute(fixture.session)
  }

  /// A block in which the first addresses are given out.
  private func block(_ cidr: String, holding count: Int) async throws {
    try await fixture.block(cidr, "host:n", (0..<count).map { .pod($0, "h\($0)", node: "n") })
  }

  @Test("pools and blocks")
  func pools() async throws {
    try await fixture.pool("a", "10.65.0.0/16")
    try await fixture.pool("b", "10.66.0.0/16", blockSize: 29)
    try await fixture.pool("c", "fd5f:abcd:64::/112", blockSize: 122)
    try await block("10.65.79.0/26", holding: 5)
    try await block("10.66.137.224/29", holding: 8)
    try await block("10.66.137.232/29", holding: 3)
    try await block("fd5f:abcd:64::/122", holding: 7)
    let table = """
      +----------+--------------------+-----------+------------+--------------+--------------+
      | GROUPING | CIDR               | IPS TOTAL | IPS IN USE | IPS RESERVED | IPS FREE     |
      +----------+--------------------+-----------+------------+--------------+--------------+
      | IP Pool  | 10.65.0.0/16       |     65536 |     5 (0%) |       0 (0%) | 65531 (100%) |
      | Block    | 10.65.79.0/26      |        64 |     5 (8%) |       0 (0%) |     59 (92%) |
      | IP Pool  | 10.66.0.0/16       |     65536 |    11 (0%) |       0 (0%) | 65525 (100%) |
      | Block    | 10.66.137.224/29   |         8 |   8 (100%) |       0 (0%) |       0 (0%) |
      | Block    | 10.66.137.232/29   |         8 |    3 (38%) |       0 (0%) |      5 (62%) |
      | IP Pool  | fd5f:abcd:64::/112 |     65536 |     7 (0%) |       0 (0%) | 65529 (100%) |
      +----------+--------------------+-----------+------------+--------------+--------------+

      """
    // The example leaves the block of the last pool out.
    let last = "| Block    | fd5f:abcd:64::/122 |        64 |    7 (11%) |       0 (0%) |     57 (89%) |\n"
    #expect(try await show("--show-blocks").output.replacing(last, with: "") == table)
    let pools = try await show().output
    #expect(pools == table.split(separator: "\n").filter { !$0.contains("Block ") }.map { $0 + "\n" }.joined())
  }

  @Test("borrowed addresses")
  func borrowed() async throws {
    let owner = #"{"handle_id":"h","secondary":{"namespace":"nsA","node":"node-1","pod":"podA"}}"#
    try await fixture.block("172.16.0.64/26", "host:node-2", [.init(1, owner)])
    #expect(
      try await show("--show-borrowed").output == """
        +-------------+----------------+----------------+-------------+------+--------------+
        | IP          | BORROWING-NODE | BLOCK          | BLOCK OWNER | TYPE | ALLOCATED-TO |
        +-------------+----------------+----------------+-------------+------+--------------+
        | 172.16.0.65 | node-1         | 172.16.0.64/26 | node-2      | pod  | nsA/podA     |
        +-------------+----------------+----------------+-------------+------+--------------+

        """)
  }

  @Test("the configuration that there is none of, with a word where calicoctl prints a pointer")
  func configuration() async throws {
    #expect(
      try await show("--show-configuration").output == """
        +------------------------------+---------+
        | PROPERTY                     | VALUE   |
        +------------------------------+---------+
        | StrictAffinity               | false   |
        | AutoAllocateBlocks           | true    |
        | MaxBlocksPerHost             | 0       |
        | KubeVirtVMAddressPersistence | Enabled |
        | IPCooldownSeconds            | 0       |
        +------------------------------+---------+

        """)
  }

  @Test("an address")
  func address() async throws {
    let attribute =
      #"{"handle_id":"k8s-pod-network.0123abcd","secondary":{"timestamp":"2026-08-14 09:12:33.123456789 +0000 UTC","#
      + #""pod":"web-0","node":"node-1","namespace":"default"},"#
      + #""alternateOwnerAttrs":{"pod":"web-0-migration","namespace":"default"}}"#
    try await fixture.pool("a", "10.65.0.0/16")
    try await fixture.block("10.65.79.0/26", "host:node-1", [.init(2, attribute)])
    #expect(
      try await show("--ip", "10.65.79.2").output == """
        IP 10.65.79.2 is in use
        Handle ID: k8s-pod-network.0123abcd
        Active Owner Attributes:
          namespace: default
          node: node-1
          pod: web-0
          timestamp: 2026-08-14 09:12:33.123456789 +0000 UTC
        Alternate Owner Attributes:
          namespace: default
          pod: web-0-migration

        """)
  }
}
