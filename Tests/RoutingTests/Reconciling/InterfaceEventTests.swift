import IPAddressing
import Netlink
import Testing

@testable import Routing

/// What is done about links and addresses that change (routes specification, section 2.7).
@Suite("Interface events")
struct InterfaceEventTests {
  /// A block of this node, one of a neighbour, and one behind the tunnel, all programmed.
  private func settled(nextHops: RoutingConfiguration.Toggle = .off) throws -> RoutingWorld {
    let world = try RoutingWorld { $0.nextHopObjects = nextHops }
    try world.want(
      DesiredChanges(
        routes: [
          try world.key("10.65.1.0/26"): try blackhole("10.65.1.0/26"),
          try world.key("10.65.2.0/26"): try direct("172.30.1.12"),
          try world.key("10.65.3.0/26"): try vxlan("10.65.3.0"),
          try world.key("fd65:2::/122"): try direct("fd30:1::12"),
        ],
        peers: [TunnelPeerKey(node: "n3", family: .v4): try peer("10.65.3.0", "66:00:00:00:00:03", "172.30.2.13")],
        devices: [.vxlan(.v4): try vxlanDevice()]))
    try #require(world.kernel.routeTable.count == 4)
    world.kernel.sent = []
    return world
  }

  private func expectComplete(_ world: RoutingWorld, _ comment: Comment? = nil) throws {
    #expect(world.kernel.routeTable.count == 4, comment)
    let tunnel = try #require(world.kernel.link("vxlan.calico")?.index)
    #expect(try world.route("10.65.3.0/26")?.hop?.interface == tunnel || world.route("10.65.3.0/26")?.nextHopID != nil)
    #expect(world.kernel.neighbourTable[tunnel]?.count == 1 && world.kernel.forwardingTable[tunnel]?.count == 1)
    #expect(world.reconciler.counts(.v4).present == 3 && world.reconciler.counts(.v6).present == 1)
    #expect(world.reconciler.statistics.disturbances == 0)
  }

  @Test("admin down: nothing is tried until the link is up, and then everything at once")
  func adminDown() throws {
    let world = try settled()
    world.kernel.stranger(.changeLink(RoutingWorld.eth0, LinkChange(isUp: false)))
    try world.settle()
    #expect(world.kernel.routeTable.count == 2 && world.routeMessages.isEmpty)
    #expect(world.reconciler.counts(.v4).failed == 1)
    world.kernel.stranger(.changeLink(RoutingWorld.eth0, LinkChange(isUp: true)))
    world.kernel.stranger(
      .addAddress(InterfaceAddress(interface: RoutingWorld.eth0, address: try ip("fd30:1::11"), prefixLength: 64)))
    try world.pass()
    try expectComplete(world)
  }

  @Test("carrier loss: plain routes stay as they are")
  func carrier() throws {
    let world = try settled()
    world.kernel.loseCarrier(RoutingWorld.eth0)
    try world.settle()
    #expect(world.routeMessages.isEmpty)
    try expectComplete(world)
  }

  @Test("the last IPv4 address removed: its routes are programmed again although no event told of them")
  func lastAddress() throws {
    let world = try settled()
    let address = InterfaceAddress(interface: RoutingWorld.eth0, address: try ip("172.30.1.11"), prefixLength: 24)
    world.kernel.stranger(.deleteAddress(address))
    world.kernel.stranger(.addAddress(address))
    try world.pass()
    try expectComplete(world)
  }

  @Test("the parent's index changes: the same keys are replaced in place")
  func newParent() throws {
    let world = try settled()
    let other = InterfaceIndex(3)
    world.kernel.add(Link(index: other, name: "eth1", isUp: true, isRunning: true, mtu: 1500))
    world.kernel.stranger(.changeLink(other, LinkChange(mtu: 1500)))
    world.kernel.queue.append(.link(try #require(world.kernel.linkTable[other])))
    let moved = [("172.30.1.11", 24), ("fd30:1::11", 64)]
    for (text, length) in moved {
      world.kernel.stranger(
        .addAddress(InterfaceAddress(interface: other, address: try ip(text), prefixLength: length)))
    }
    for (text, length) in moved {
      world.kernel.stranger(
        .deleteAddress(InterfaceAddress(interface: RoutingWorld.eth0, address: try ip(text), prefixLength: length)))
    }
    try world.settle()
    #expect(try world.route("10.65.2.0/26")?.hop?.interface == other)
    #expect(try world.route("fd65:2::/122")?.hop?.interface == other)
    #expect(!world.routeMessages.contains { if case .deleteRoute = $0 { true } else { false } })
  }

  @Test("R-17: a device made anew under its name makes its routes differ")
  func deviceDeleted() throws {
    let world = try settled()
    let old = try #require(world.kernel.link("vxlan.calico")?.index)
    world.kernel.stranger(.deleteLink(old))
    try world.pass()
    #expect(world.kernel.link("vxlan.calico")?.index != old)
    try expectComplete(world)
  }

  @Test(
    "the tunnel goes down: it is set up again, with neighbours and routes",
    arguments: RoutingConfiguration.Toggle.allCases)
  func tunnelDown(nextHops: RoutingConfiguration.Toggle) throws {
    let world = try settled(nextHops: nextHops)
    let tunnel = try #require(world.kernel.link("vxlan.calico")?.index)
    world.kernel.stranger(.changeLink(tunnel, LinkChange(isUp: false)))
    try world.pass()
    try expectComplete(world)
  }

  @Test(
    "the tunnel's last address removed: it comes back first, then neighbours and routes",
    arguments: [RoutingConfiguration.Toggle.on, .off])
  func tunnelAddress(nextHops: RoutingConfiguration.Toggle) throws {
    let world = try settled(nextHops: nextHops)
    let address = try #require(world.kernel.addressTable.first { $0.address == IPAddress("10.65.1.0") })
    world.kernel.stranger(.deleteAddress(address))
    try world.pass()
    #expect(world.kernel.addressTable.contains(address))
    try expectComplete(world)
  }

  @Test("the tunnel's MAC changed by somebody else: it is restored, and all neighbours are added again")
  func hardwareAddress() throws {
    let world = try settled()
    let tunnel = try #require(world.kernel.link("vxlan.calico")?.index)
    world.kernel.stranger(.changeLink(tunnel, LinkChange(hardwareAddress: HardwareAddress("0a:00:00:00:00:01"))))
    try world.pass()
    #expect(world.kernel.link("vxlan.calico")?.hardwareAddress == RoutingWorld.mac)
    #expect(world.routeMessages.isEmpty)
    try expectComplete(world)
  }

  @Test("R-9: the parent's MTU changes: the tunnel's follows, and that of its routes, in place")
  func mtu() throws {
    let world = try settled()
    world.kernel.stranger(.changeLink(RoutingWorld.eth0, LinkChange(mtu: 1400)))
    try world.pass()
    #expect(world.kernel.link("vxlan.calico")?.mtu == 1350)
    #expect(try world.route("10.65.3.0/26")?.mtu == 1350)
    #expect(world.routeMessages.count == 1)
    try expectComplete(world)
  }

  @Test("a pod's interface that comes and goes costs no message")
  func pods() throws {
    let world = try settled()
    world.kernel.dumps = []
    for number in 100..<110 {
      let link = Link(
        index: InterfaceIndex(UInt32(number)), name: "cali\(number)", isUp: true, isRunning: true, mtu: 1500)
      world.kernel.queue += [.link(link), .linkGone(link)]
    }
    try world.pass()
    #expect(world.kernel.sent.isEmpty && world.kernel.dumps.isEmpty)
  }

  @Test("R-13: permanent neighbours of our device that nothing wants go; those of the kernel are ignored")
  func neighbours() throws {
    let world = try settled()
    let tunnel = try #require(world.kernel.link("vxlan.calico")?.index)
    let stale = Neighbour(
      interface: tunnel, address: try ip("10.65.9.0"), hardwareAddress: HardwareAddress("66:00:00:00:00:09"))
    let kernels = [
      Neighbour(interface: tunnel, address: try ip("10.65.8.0"), hardwareAddress: nil),
      Neighbour(
        interface: tunnel, address: try ip("224.0.0.5"), hardwareAddress: HardwareAddress("01:00:5e:00:00:05")),
      Neighbour(
        interface: tunnel, address: try ip("10.65.7.0"), hardwareAddress: HardwareAddress("66:00:00:00:00:07"),
        isPermanent: false),
    ]
    for neighbour in kernels + [stale] { world.kernel.neighbourTable[tunnel]?[neighbour.address] = neighbour }
    world.now += .seconds(6)
    world.reconciler.requestResync(at: world.now)
    try world.pass()
    #expect(world.kernel.sent == [.deleteNeighbour(stale)])
  }

  @Test("R-13: a wanted neighbour that shares its MAC with one that goes stays")
  func sharedHardwareAddress() throws {
    let world = try settled()
    let tunnel = try #require(world.kernel.link("vxlan.calico")?.index)
    let twin = TunnelPeerKey(node: "n4", family: .v4)
    try world.change(DesiredChanges(peers: [twin: try peer("10.65.4.0", "66:00:00:00:00:03", "172.30.2.14")]))
    try world.change(DesiredChanges(peers: [twin: nil]))
    #expect(world.kernel.neighbourTable[tunnel]?.count == 1)
    #expect(world.kernel.forwardingTable[tunnel]?.values.first?.destination == IPAddress("172.30.2.13"))
  }
}
