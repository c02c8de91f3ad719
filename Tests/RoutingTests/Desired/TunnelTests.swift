import IPAddressing
import Netlink
import Testing

@testable import Routing

@Suite("Tunnel devices and the other ends of tunnels (section 4)")
struct TunnelTests {
  @Test("every other node with the facts is a peer, those on the same subnet too")
  func peers() throws {
    for vxlan in [RoutingPool.Encapsulation.always, .crossSubnet] {
      let peers = try World(vxlan: vxlan).computed().desired.peers
      #expect(peers.count == 4)
      let two = try #require(peers[.init(node: "n2", family: .v4)])
      #expect(two.tunnelAddress == (try address("10.65.2.0")))
      #expect(two.underlay == (try address("172.30.1.12")))
      #expect(two.hardwareAddress == HardwareAddress.tunnel(of: "n2", .v4))
      #expect(peers[.init(node: "n3", family: .v6)]?.underlay == (try address("fd30:2::13")))
      #expect(peers[.init(node: "n1", family: .v4)] == nil)
    }
  }

  @Test("the hardware address that a node names goes before the derived one")
  func named() throws {
    var world = try World(vxlan: .always)
    let named = try #require(HardwareAddress("66:00:00:00:00:01"))
    world.topology.nodes["n2"]?.v4.vxlanHardwareAddress = named
    world.topology.nodes["n1"]?.v6.vxlanHardwareAddress = named
    let desired = world.computed().desired
    #expect(desired.peers[.init(node: "n2", family: .v4)]?.hardwareAddress == named)
    #expect(desired.devices[.vxlan(.v6)]?.hardwareAddress == named)
    #expect(desired.devices[.vxlan(.v4)]?.hardwareAddress == HardwareAddress.tunnel(of: "n1", .v4))
  }

  @Test("a device is there while a pool needs it, with this node's addresses, and peers with it")
  func devices() throws {
    #expect(try World().computed().desired.devices.isEmpty)
    #expect(try World(ipip: .always).computed().desired.devices == [.ipip: .init(address: try address("10.65.1.1"))])
    var computation = try World(vxlan: .always).computed()
    #expect(Set(computation.desired.devices.keys) == [.vxlan(.v4), .vxlan(.v6)])
    let device = try #require(computation.desired.devices[.vxlan(.v6)])
    #expect(device.address == (try address("fd65:1::")))
    #expect(device.underlay == (try address("fd30:1::11")))
    _ = computation.takeChanges()
    computation.apply([.pool("six", nil)])
    let changes = computation.takeChanges()
    #expect(changes.devices == [.vxlan(.v6): nil])
    #expect(changes.peers.count == 2 && changes.peers.values.allSatisfy { $0 == nil })
  }

  @Test("a node without a tunnel address is said to have none, once devices want one")
  func noAddress() throws {
    var world = try World(vxlan: .always)
    world.topology.nodes["n1"]?.v4.vxlanTunnelAddress = nil
    let computation = world.computed()
    #expect(computation.desired.devices[.vxlan(.v4)]?.address == nil)
    #expect(computation.condition(.unresolved, "n1")?.contains("IPv4 VXLAN tunnel address") == true)
  }

  @Test("without this node in the datastore its own blocks are routed all the same, and it is reported")
  func unknownSelf() throws {
    var world = try World(vxlan: .crossSubnet)
    world.topology.nodes["n1"] = nil
    var computation = world.computed()
    #expect(try computation.path("10.65.1.0/26") == .blackhole)
    #expect(try computation.path("10.65.2.0/26")?.words == "via 10.65.2.0 dev vxlan onlink")
    #expect(computation.condition(.unresolved, "n1")?.contains("nodeName") == true)
    computation.apply([.node("n2", nil), .node("n3", nil)])
    #expect(computation.condition(.unresolved, "n1") == nil)
  }

  @Test("of two nodes with one hardware address the first by name keeps it, and the other is reported")
  func hardwareCollision() throws {
    var world = try World(vxlan: .always)
    let shared = try #require(HardwareAddress("66:00:00:00:00:01"))
    for name in ["n2", "n3"] { world.topology.nodes[name]?.v4.vxlanHardwareAddress = shared }
    var computation = world.computed()
    #expect(computation.desired.peers[.init(node: "n2", family: .v4)] != nil)
    #expect(computation.desired.peers[.init(node: "n3", family: .v4)] == nil)
    #expect(try computation.path("10.65.3.0/26") == nil)
    #expect(computation.condition(.malformed, "node n3")?.contains("66:00:00:00:00:01") == true)
    // The families have devices of their own.
    #expect(computation.desired.peers[.init(node: "n3", family: .v6)] != nil)
    computation.apply([.node("n2", nil)])
    #expect(computation.desired.peers[.init(node: "n3", family: .v4)] != nil)
    #expect(try computation.path("10.65.3.0/26") != nil)
    #expect(computation.condition(.malformed, "node n3") == nil)
  }

  @Test("of two nodes with one tunnel address the first by name keeps it, but this node goes first of all")
  func addressCollision() throws {
    var world = try World(vxlan: .always)
    world.topology.nodes["n3"]?.v4.vxlanTunnelAddress = try address("10.65.2.0")
    var computation = world.computed()
    #expect(computation.desired.peers[.init(node: "n2", family: .v4)] != nil)
    #expect(computation.desired.peers[.init(node: "n3", family: .v4)] == nil)
    #expect(computation.condition(.malformed, "node n3")?.contains("10.65.2.0") == true)
    world.topology.nodes["n1"]?.v4.vxlanTunnelAddress = try address("10.65.2.0")
    computation.replace(with: world.topology)
    #expect(computation.desired.peers[.init(node: "n2", family: .v4)] == nil)
    #expect(computation.condition(.malformed, "node n2")?.contains("n1") == true)
  }
}
