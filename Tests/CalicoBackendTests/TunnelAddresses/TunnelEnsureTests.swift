import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

// The table "ensure" of section 6.2, row by row; catalogue 103 to 106.
@Suite("Tunnel addresses that a node should have")
struct TunnelEnsureTests {
  let world = TunnelWorld()
  private let ours = ["node": "n1", "type": "ipipTunnelAddress"]
  private let handle = "ipip-tunnel-addr-n1"

  private func field() throws -> String? {
    try world.specification()["bgp"]?.objectValue?["ipv4IPIPTunnelAddr"]?.stringValue
  }

  @Test("a node without an address is given one, with handle and attributes and nothing else recorded")
  func empty() async throws {
    world.pool("p", "172.16.0.0/31")
    let report = try await world.reconcile()
    #expect(report.addresses == [.ipip: IPAddress("172.16.0.0")])
    #expect(report.changes == ["assigned 172.16.0.0 as the ipipTunnelAddress of node n1"])
    #expect(try field() == "172.16.0.0")
    let record = try #require(try await world.record("172.16.0.0"))
    #expect(record.handleID == handle)
    #expect(record.owner == ours)
    #expect(try world.node()["status"] != nil)
    let again = try await world.reconcile()
    #expect(again.changes.isEmpty)
    #expect(again.addresses == report.addresses)
  }

  @Test(
    "each type has its pools, handle and place in the node",
    arguments: [
      (
        .wireGuardV4, "172.16.0.0/31", #""ipipMode":"Never""#, "wireguard-tunnel-addr-n1",
        ["wireguard", "interfaceIPv4Address"]
      ),
      (
        .wireGuardV6, "2001:db8::/127", #""vxlanMode":"Never""#, "wireguard-v6-tunnel-addr-n1",
        ["wireguard", "interfaceIPv6Address"]
      ),
      (.ipip, "172.16.0.0/31", #""ipipMode":"CrossSubnet""#, "ipip-tunnel-addr-n1", ["bgp", "ipv4IPIPTunnelAddr"]),
      (.vxlanV4, "172.16.0.0/31", #""vxlanMode":"Always""#, "vxlan-tunnel-addr-n1", ["ipv4VXLANTunnelAddr"]),
      (.vxlanV6, "2001:db8::/127", #""vxlanMode":"CrossSubnet""#, "vxlan-v6-tunnel-addr-n1", ["ipv6VXLANTunnelAddr"]),
    ] as [(TunnelAddressKind, String, String, String, [String])])
  func types(kind: TunnelAddressKind, cidr: String, mode: String, handle: String, path: [String]) async throws {
    let isV6 = kind.family == .v6
    world.pool("p", cidr, mode, blockSize: isV6 ? 127 : 31)
    if kind == .wireGuardV4 { world.setNode(status: #""wireguardPublicKey":"k""#) }
    if kind == .wireGuardV6 { world.setNode(status: #""wireguardPublicKeyV6":"k""#) }
    // A pod has the first address, so that the second one is given.
    let (first, second) = isV6 ? ("2001:db8::", "2001:db8::1") : ("172.16.0.0", "172.16.0.1")
    try await world.assign(first, handle: "pod", attributes: ["node": "n1", "pod": "p"])
    let report = try await world.reconcile()
    #expect(report.addresses == [kind: IPAddress(second)])
    var value = JSON.object(try world.specification())
    for name in path { value = try #require(value.objectValue?[name]) }
    #expect(value.stringValue == second)
    #expect(try await world.addresses(handle) == [second])
    #expect(try await world.record(second)?.owner == ["node": "n1", "type": kind.rawValue])
    #expect(try await world.reconcile().changes.isEmpty)
  }

  @Test("an address that is assigned to the node in one of the pools is kept")
  func kept() async throws {
    world.pool("p", "172.16.0.0/30")
    try await world.assign("172.16.0.3", handle: handle, attributes: ours)
    world.setNode(#""bgp":{"ipv4IPIPTunnelAddr":"172.16.0.3"}"#)
    #expect(try await world.reconcile().changes.isEmpty)
    #expect(try await world.addresses(handle) == ["172.16.0.3"])
  }

  @Test("an address in none of the pools any more is given back, and another one assigned")
  func otherPool() async throws {
    world.pool("old", "172.16.10.10/32", blockSize: 32)
    try await world.reconcile()
    #expect(try field() == "172.16.10.10")
    world.pool("old", "172.16.10.10/32", #""ipipMode":"Never""#, blockSize: 32)
    world.pool("p", "172.16.0.0/31")
    try await world.reconcile()
    #expect(try field() == "172.16.0.0")
    #expect(try await world.addresses(handle) == ["172.16.0.0"])
    #expect(try await world.record("172.16.10.10") == nil)
  }

  @Test("the address of a pool that is disabled is given back as well, though it cannot be looked up")
  func disabledPool() async throws {
    world.pool("old", "172.16.10.10/32", blockSize: 32)
    try await world.reconcile()
    world.pool("old", "172.16.10.10/32", #""ipipMode":"Always","disabled":true"#, blockSize: 32)
    world.pool("p", "172.16.0.0/31")
    try await world.reconcile()
    #expect(try await world.addresses(handle) == ["172.16.0.0"])
    #expect(try world.inUse() == 1)
  }

  @Test("an address that a workload has is left to it")
  func workload() async throws {
    world.pool("p", "172.16.0.0/31")
    try await world.assign("172.16.0.1", handle: "some-pod")
    world.setNode(#""bgp":{"ipv4IPIPTunnelAddr":"172.16.0.1"}"#)
    try await world.reconcile()
    #expect(try field() == "172.16.0.0")
    #expect(try await world.record("172.16.0.1")?.handleID == "some-pod")
  }

  @Test(
    "an address with attributes of something else is left to it",
    arguments: [
      ["node": "n2", "type": "ipipTunnelAddress"], ["node": "n1", "type": "vxlanTunnelAddress"], ["pod": "p"],
    ])
  func otherAttributes(attributes: [String: String]) async throws {
    world.pool("p", "172.16.0.0/31")
    try await world.assign("172.16.0.1", handle: "other", attributes: attributes)
    world.setNode(#""bgp":{"ipv4IPIPTunnelAddr":"172.16.0.1"}"#)
    try await world.reconcile()
    #expect(try field() == "172.16.0.0")
    #expect(try await world.record("172.16.0.1")?.owner == attributes)
  }

  @Test("a very old address, of which nothing is recorded, gets its handle and attributes and stays")
  func unnamed() async throws {
    world.pool("p", "172.16.0.0/16")
    try await world.assign("172.16.0.1", handle: nil)
    world.setNode(#""bgp":{"ipv4IPIPTunnelAddr":"172.16.0.1"}"#)
    try await world.reconcile()
    #expect(try field() == "172.16.0.1")
    #expect(try await world.addresses(handle) == ["172.16.0.1"])
    #expect(try await world.record("172.16.0.1")?.owner == ours)
  }

  @Test("an address that is free is replaced; what the handle had without being one of its kind is given back")
  func unassigned() async throws {
    world.pool("p", "172.16.0.0/29", blockSize: 29)
    try await world.assign("172.16.0.1", handle: handle, attributes: ["node": "n1"])
    world.setNode(#""bgp":{"ipv4IPIPTunnelAddr":"172.16.0.5"}"#)
    let report = try await world.reconcile()
    let address = try #require(try field())
    #expect(report.changes.first == "released 172.16.0.1, which handle \(handle) had and the node did not use")
    #expect(try await world.addresses(handle) == [address])
    #expect(try world.inUse() == 1)
  }

  @Test("an address that cools down is taken for one that is free")
  func coolingDown() async throws {
    world.pool("p", "172.16.0.0/31")
    var configuration = IPAMConfiguration()
    configuration.cooldownSeconds = 1000
    world.memory.put(configuration.encoded(), at: KeyPath.path(of: .configuration))
    try await world.assign("172.16.0.0", handle: handle, attributes: ours)
    try await world.release("172.16.0.0")
    world.setNode(#""bgp":{"ipv4IPIPTunnelAddr":"172.16.0.0"}"#)
    try await world.reconcile()
    #expect(try field() == "172.16.0.1")
  }

  @Test("an address that is none is an error that changes nothing")
  func unparsable() async throws {
    world.pool("p", "172.16.0.0/31")
    world.setNode(#""bgp":{"ipv4IPIPTunnelAddr":"somewhere"}"#)
    let before = world.memory.dump()
    #expect(await tunnelFailure { try await world.reconcile() } == "failed to parse the CIDR 'somewhere'")
    #expect(world.memory.dump() == before)
  }

  @Test("pools are chosen by tunnel use, selector, encapsulation and state, and by nothing else")
  func selection() async throws {
    world.setNode(labels: #""rack":"a""#)
    world.pool("1", "172.16.1.0/31", #""ipipMode":"Always","nodeSelector":"rack == 'b'""#)
    world.pool("2", "172.16.2.0/31", #""ipipMode":"Always","allowedUses":["Workload"]"#)
    world.pool("3", "172.16.3.0/31", #""ipipMode":"Always","disabled":true"#)
    world.pool("4", "172.16.4.0/31", #""ipipMode":"Always","nodeSelector":"rack =="#)
    world.pool("5", "172.16.5.0/31", #""ipipMode":"Always","nodeSelector":"rack == 'x' ||""#)
    world.memory.put(nil, at: KeyPath.path(of: .resource(.ipPool, "4")))
    world.pool("6", "172.16.6.0/31", #""ipipMode":"Never""#)
    #expect(try await world.reconcile().addresses.isEmpty)
    // Only asked for by name, and not by pods of this namespace: neither matters here.
    world.pool(
      "7", "172.16.7.0/31",
      #""ipipMode":"Always","assignmentMode":"Manual","namespaceSelector":"x == 'y'","nodeSelector":"rack == 'a'""#)
    #expect(try await world.reconcile().addresses == [.ipip: IPAddress("172.16.7.0")])
  }

  @Test("a WireGuard device has an address when its key is there, and host traffic is not encrypted")
  func wireGuard() async throws {
    world.pool("p", "172.16.0.0/30", #""ipipMode":"Never""#)
    #expect(try await world.reconcile().addresses.isEmpty)
    world.setNode(status: #""wireguardPublicKey":"k""#)
    #expect(try await world.tunnels(encryptsHostTraffic: true).reconcile().addresses.isEmpty)
    #expect(try await world.reconcile().addresses == [.wireGuardV4: IPAddress("172.16.0.0")])
    #expect(try await world.tunnels(encryptsHostTraffic: true).reconcile().addresses.isEmpty)
    #expect(try world.inUse() == 0)
  }

  @Test("a pool without a range, a node that is not there, and full pools are errors that leave everything as it was")
  func failures() async throws {
    world.pool("p", "172.16.0.0/31")
    world.pool("q", "nowhere")
    let before = world.memory.dump()
    #expect(
      await tunnelFailure { try await world.reconcile() }
        == "unable to query IP pool configuration: IPPool q: invalid CIDR address: nowhere")
    #expect(world.memory.dump() == before)
    world.removePool("q")
    world.memory.put(nil, at: KeyPath.path(of: .resource(.node, "n1")))
    #expect(
      await tunnelFailure { try await world.reconcile() }
        == "failed to fetch node resource 'n1': resource does not exist: Node(n1) with error: <nil>")
    world.setNode()
    for address in ["172.16.0.0", "172.16.0.1"] { try await world.assign(address, handle: "pod") }
    #expect(
      await tunnelFailure { try await world.reconcile() }?.hasPrefix("Assigned 0 out of 1 requested IPv4 addresses")
        == true)
    #expect(try field() == nil)
  }
}
