import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

// "remove" in section 6.2; catalogue 107 and 108.
@Suite("Tunnel addresses that a node should not have")
struct TunnelRemoveTests {
  let world = TunnelWorld()
  private let handle = "ipip-tunnel-addr-n1"

  init() {
    // Where addresses can be looked up, and none for tunnels of IPIP.
    world.pool("p", "172.16.0.0/29", #""ipipMode":"Never""#, blockSize: 29)
  }

  @Test("the address is given back, and the section that it leaves empty goes with it")
  func removed() async throws {
    world.pool("p", "172.16.0.0/29", blockSize: 29)
    try await world.reconcile()
    world.pool("p", "172.16.0.0/29", #""ipipMode":"Never""#, blockSize: 29)
    let report = try await world.reconcile()
    #expect(report.changes == ["released the ipipTunnelAddress of node n1, 172.16.0.0"])
    #expect(report.addresses.isEmpty)
    #expect(try world.specification()["bgp"] == nil)
    #expect(try world.inUse() == 0)
  }

  @Test("a section with other members stays, and so does every member that is unknown here")
  func section() async throws {
    world.setNode(#""bgp":{"ipv4Address":"172.30.1.11/24","ipv4IPIPTunnelAddr":"172.16.0.1","future":7},"more":[1]"#)
    try await world.reconcile()
    let section = try #require(try world.specification()["bgp"]?.objectValue)
    #expect(section.members.map(\.key) == ["ipv4Address", "future"])
    #expect(try world.specification()["more"] != nil)
  }

  @Test("a very old address without a handle is given back by its name")
  func unnamed() async throws {
    try await world.assign("172.16.0.1", handle: nil)
    world.setNode(#""bgp":{"ipv4IPIPTunnelAddr":"172.16.0.1"}"#)
    try await world.reconcile()
    #expect(try world.inUse() == 0)
  }

  @Test("an address whose handle's own entry is lost is given back by name and handle")
  func lostHandle() async throws {
    try await world.assign("172.16.0.1", handle: handle, attributes: ["node": "n1", "type": "ipipTunnelAddress"])
    world.memory.put(nil, at: KeyPath.path(of: .handle(handle)))
    world.setNode(#""bgp":{"ipv4IPIPTunnelAddr":"172.16.0.1"}"#)
    try await world.reconcile()
    #expect(try world.inUse() == 0)
  }

  @Test("an address that something else has by now stays", arguments: [["pod": "p"], [:]])
  func reused(attributes: [String: String]) async throws {
    try await world.assign("172.16.0.1", handle: "pod", attributes: attributes)
    world.setNode(#""bgp":{"ipv4IPIPTunnelAddr":"172.16.0.1"}"#)
    try await world.reconcile()
    #expect(try world.specification()["bgp"] == nil)
    #expect(try await world.record("172.16.0.1")?.handleID == "pod")
  }

  @Test("a node with nothing to remove is not written")
  func nothing() async throws {
    let before = world.memory.dump()
    #expect(try await world.reconcile() == TunnelAddressReport())
    #expect(world.memory.dump() == before)
  }

  @Test("a pool that changes from IPIP to VXLAN takes one address away and gives another; WireGuard's stays")
  func switched() async throws {
    world.setNode(status: #""wireguardPublicKey":"k""#)
    world.pool("p", "172.16.0.0/26", blockSize: 26)
    #expect(
      try await world.reconcile().addresses
        == [.wireGuardV4: IPAddress("172.16.0.0"), .ipip: IPAddress("172.16.0.1")])
    world.pool("p", "172.16.0.0/26", #""vxlanMode":"Always""#, blockSize: 26)
    #expect(
      try await world.reconcile().addresses
        == [.wireGuardV4: IPAddress("172.16.0.0"), .vxlanV4: IPAddress("172.16.0.2")])
    world.setNode(#""ipv4VXLANTunnelAddr":"172.16.0.2","wireguard":{"interfaceIPv4Address":"172.16.0.0"}"#)
    #expect(try await world.reconcile().addresses == [.vxlanV4: IPAddress("172.16.0.2")])
    #expect(try world.specification()["wireguard"] == nil)
    #expect(try world.inUse() == 1)
  }
}
