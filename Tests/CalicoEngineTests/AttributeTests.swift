import CalicoEngine
import CalicoModel
import IPAddressing
import Testing

/// Specification section 7.2, items 9 and 10.
@Suite("Attributes and uses")
struct AttributeTests {
  @Test("9: attributes are those of an address in use, and exist for no other", arguments: modes)
  func attributes(mode: Mode) async throws {
    let calico = Cluster(mode)
    #expect(try await missing("10.0.0.1", calico) == "resource does not exist: 10.0.0.1 with error: No valid IPPool")
    calico.pool("10.0.0.0/24")
    let block = "resource does not exist: BlockKey(cidr=10.0.0.0/26) with error: <nil>"
    #expect(try await missing("10.0.0.1", calico) == block)
    try await calico.assign(address: "10.0.0.2")
    #expect(try await missing("10.0.0.1", calico) == "resource does not exist: 10.0.0.1 with error: IP is unassigned")
    let attributes = ["node": "host-a", "type": "vxlanTunnelAddress"]
    try await calico.assign(address: "10.0.0.1", handle: "my-test-handle", attributes: attributes)
    let found = try await calico.attributes(of: "10.0.0.1")
    #expect(found.handleID == "my-test-handle")
    #expect(found.owner == attributes)
    #expect(found.alternateOwner.isEmpty)
  }

  private func missing(_ address: IPAddress, _ calico: Cluster) async throws -> String? {
    let error = try await failure { try await calico.attributes(of: address) }
    #expect(error?.code == .doesNotExist)
    return error?.description
  }

  @Test("9: an address that cools down has no attributes, and is not given out", arguments: modes)
  func coolingDown(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/30", blockSize: 30)
    calico.configuration.cooldownSeconds = 30
    try await calico.assign(address: "10.0.0.1", handle: "handle")
    try await calico.release(handle: "handle")
    let error = try await failure { try await calico.attributes(of: "10.0.0.1") }
    #expect(error == EngineError(.coolingDown, "address 10.0.0.1 is in cooldown"))
    #expect(try await failure { try await calico.assign(address: "10.0.0.1") }?.code == .alreadyExists)
    #expect(try await calico.release(["10.0.0.1"]).unallocated == ["10.0.0.1"])
    #expect(try await calico.assign(v4: 4).v4 == ["10.0.0.0", "10.0.0.2", "10.0.0.3"])
    calico.advance(seconds: 32)
    #expect(try await calico.assign(v4: 4).v4 == ["10.0.0.1"])
  }

  @Test("10: a named address is given out for the uses of its pool", arguments: modes)
  func uses(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", uses: [.workload])
    calico.pool("20.0.0.0/24")
    let error = try await failure { try await calico.assign(address: "10.0.0.1", use: .tunnel) }
    #expect(
      error?.description
        == "IP address 10.0.0.1 is in IP pool \"10.0.0.0-24\", which is not allowed for use \"Tunnel\" "
        + "(allowedUses: [Workload])")
    try await calico.assign(address: "10.0.0.2", use: .workload)
    try await calico.assign(address: "10.0.0.3", use: nil)
    try await calico.assign(address: "20.0.0.1", use: .tunnel)
  }
}
