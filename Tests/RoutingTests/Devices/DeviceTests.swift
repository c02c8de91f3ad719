import IPAddressing
import Netlink
import Testing

@testable import Routing

/// Tunnel devices (routes specification, section 4).
@Suite("Tunnel devices")
struct DeviceTests {
  private let vxlanV4 = InterfaceRole.vxlan(.v4)

  private func settings(_ change: (inout VXLANSettings) -> Void = { _ in }) throws -> VXLANSettings {
    var settings = VXLANSettings(
      identifier: 4096, port: 4789, local: try ip("172.30.1.11"), lower: RoutingWorld.eth0, hasChecksum: true)
    change(&settings)
    return settings
  }

  /// A world with a device of our name that somebody made before.
  private func world(
    _ change: (inout Link) -> Void = { _ in }, _ configure: (inout RoutingConfiguration) -> Void = { _ in }
  ) throws -> RoutingWorld {
    let world = try RoutingWorld(configure, start: false)
    var link = Link(
      index: InterfaceIndex(5), name: "vxlan.calico", isUp: true, isRunning: true, mtu: 1450,
      hardwareAddress: RoutingWorld.mac, kind: "vxlan", lower: RoutingWorld.eth0, vxlan: try settings())
    change(&link)
    world.kernel.add(link)
    world.kernel.addressTable.append(
      InterfaceAddress(interface: link.index, address: try ip("10.65.1.0"), prefixLength: 32))
    try world.start()
    return world
  }

  @Test("a device is made with its MAC and MTU, set up, and given its address")
  func creation() throws {
    let world = try RoutingWorld()
    try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
    var made = try settings()
    made.hasChecksum = nil
    #expect(
      world.kernel.sent == [
        .createLink(NewLink(name: "vxlan.calico", kind: .vxlan(made), mtu: 1450, hardwareAddress: RoutingWorld.mac)),
        .changeLink(InterfaceIndex(10), LinkChange(isUp: true)),
        .addAddress(InterfaceAddress(interface: InterfaceIndex(10), address: try ip("10.65.1.0"), prefixLength: 32)),
      ])
    #expect(world.reconciler.conditions.isEmpty)
  }

  @Test("a device as it should be is left alone")
  func nothingToDo() throws {
    let world = try world()
    try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
    #expect(world.kernel.sent.isEmpty)
  }

  @Test("R-29: local address, lower device, learning, MAC and MTU are changed in place")
  func inPlace() throws {
    let changes: [(inout Link) -> Void] = [
      { $0.vxlan?.local = IPAddress(v4: 1) }, { $0.vxlan?.lower = InterfaceIndex(1) }, { $0.vxlan?.learns = true },
      { $0.hardwareAddress = HardwareAddress("0a:00:00:00:00:01") }, { $0.mtu = 1400 }, { $0.isUp = false },
    ]
    for change in changes {
      let world = try world(change)
      try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
      #expect(world.kernel.sent.count == 1)
      guard case .changeLink(InterfaceIndex(5), _) = world.kernel.sent.first else {
        Issue.record("\(world.kernel.sent)")
        continue
      }
    }
  }

  @Test("R-29: kind, VNI, port, checksums and control from outside make a device be made anew")
  func anew() throws {
    let changes: [(inout Link) -> Void] = [
      { $0.kind = "dummy" }, { $0.vxlan?.identifier = 4097 }, { $0.vxlan?.port = 8472 },
      { $0.vxlan?.hasChecksum = false }, { $0.vxlan?.collectsMetadata = true },
    ]
    for change in changes {
      let world = try world(change)
      try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
      #expect(world.kernel.sent.first == .deleteLink(InterfaceIndex(5)))
      #expect(world.kernel.link("vxlan.calico")?.vxlan?.identifier == 4096)
      #expect(world.kernel.addressTable.contains { $0.interface == InterfaceIndex(10) })
    }
  }

  @Test("R-30: the new address is added before the old one goes, and link-local addresses stay")
  func address() throws {
    let world = try world()
    try world.want(
      DesiredChanges(
        routes: [try world.key("10.65.3.0/26"): try vxlan("10.65.3.0")], devices: [vxlanV4: try vxlanDevice()]))
    let link = InterfaceAddress(interface: InterfaceIndex(5), address: try ip("fe80::1"), prefixLength: 64, scope: 253)
    world.kernel.stranger(.addAddress(link))
    world.kernel.sent = []
    try world.change(DesiredChanges(devices: [vxlanV4: try vxlanDevice("10.65.1.7")]))
    #expect(
      world.kernel.sent == [
        .addAddress(InterfaceAddress(interface: InterfaceIndex(5), address: try ip("10.65.1.7"), prefixLength: 32)),
        .deleteAddress(InterfaceAddress(interface: InterfaceIndex(5), address: try ip("10.65.1.0"), prefixLength: 32)),
      ])
    #expect(try world.route("10.65.3.0/26") != nil)
    #expect(world.kernel.addressTable.contains(link))
  }

  @Test("a kernel without the kind: the condition names the device, and other routes are programmed")
  func unsupported() throws {
    let world = try RoutingWorld()
    world.kernel.refuse = { if case .createLink = $0 { KernelRefusal(errno: 95) } else { nil } }
    let tunnel = DesiredRoute(
      .hop(.ipip, gateway: try ip("172.30.2.13"), isOnLink: true), owner: "n3", claim: try cidr("10.65.3.0/26"))
    try world.want(
      DesiredChanges(
        routes: [
          try world.key("10.65.2.0/26"): try direct("172.30.1.12"), try world.key("10.65.3.0/26"): tunnel,
        ], devices: [.ipip: DesiredDevice(address: try ip("10.65.1.1"), underlay: try ip("172.30.1.11"))]))
    #expect(world.condition(.encapsulationUnsupported, "tunl0") != nil)
    #expect(try world.route("10.65.2.0/26") != nil && world.route("10.65.3.0/26") == nil)
    world.kernel.refuse = { _ in nil }
    try world.wait(.seconds(2))
    #expect(try world.route("10.65.3.0/26")?.mtu == 1480)
    #expect(world.condition(.encapsulationUnsupported, "tunl0") == nil)
  }

  @Test("tunl0 that the kernel made itself is accepted and set up")
  func fallback() throws {
    let world = try RoutingWorld()
    world.kernel.tells = false
    world.kernel.stranger(.createLink(NewLink(name: "tunl0", kind: .ipip)))
    try world.want(DesiredChanges(devices: [.ipip: DesiredDevice(address: try ip("10.65.1.1"))]))
    #expect(world.kernel.link("tunl0")?.isUp == true)
    #expect(world.reconciler.conditions.isEmpty)
  }

  @Test("tunl0 of another kind is refused by name")
  func otherKind() throws {
    let world = try RoutingWorld()
    world.kernel.add(Link(index: InterfaceIndex(5), name: "tunl0", isUp: true, isRunning: true, mtu: 1480, kind: "gre"))
    try world.restart()
    try world.want(DesiredChanges(devices: [.ipip: DesiredDevice(address: try ip("10.65.1.1"))]))
    #expect(world.condition(.device, "tunl0")?.contains("of the kind gre") == true)
    #expect(world.kernel.sent.isEmpty)
  }

  @Test("another device with the same VNI is named")
  func conflict() throws {
    let world = try world { $0.name = "flannel.1" }
    try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
    #expect(world.condition(.device, "vxlan.calico")?.contains("flannel.1") == true)
    #expect(world.kernel.link("flannel.1") != nil)
    #expect(world.last.nextWake ?? world.now > world.now + .milliseconds(900))
  }

  @Test("a device that is not managed is only waited for")
  func unmanaged() throws {
    let world = try RoutingWorld { $0.managesDevices = false }
    try world.want(
      DesiredChanges(
        routes: [try world.key("10.65.3.0/26"): try vxlan("10.65.3.0")], devices: [vxlanV4: try vxlanDevice()]))
    #expect(world.kernel.sent.isEmpty && world.condition(.device, "vxlan.calico") != nil)
    var made = try settings()
    made.local = try ip("172.30.1.11")
    world.kernel.stranger(.createLink(NewLink(name: "vxlan.calico", kind: .vxlan(made), mtu: 1450)))
    world.kernel.stranger(.changeLink(InterfaceIndex(10), LinkChange(isUp: true)))
    try world.pass()
    #expect(try world.route("10.65.3.0/26") != nil && world.reconciler.conditions.isEmpty)
  }

  @Test("a device that no pool needs any more is removed if it is ours, and left if others use it")
  func removal() throws {
    for isUsed in [false, true] {
      let world = try world()
      try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
      if isUsed {
        world.kernel.stranger(
          .addRoute(
            Route(
              try world.key("10.65.9.0/26"), kind: .unicast, origin: .boot,
              hop: RouteHop(gateway: try ip("10.65.9.0"), interface: InterfaceIndex(5), isOnLink: true))))
      }
      try world.change(DesiredChanges(devices: [vxlanV4: nil]))
      #expect((world.kernel.link("vxlan.calico") != nil) == isUsed)
    }
  }

  @Test("a device of our name that we never used stays when nothing wants it")
  func untouched() throws {
    let world = try world()
    try world.want(DesiredChanges(routes: [try world.key("10.65.2.0/26"): try direct("172.30.1.12")]))
    #expect(world.kernel.link("vxlan.calico") != nil)
  }

  @Test("tunl0 only loses its addresses when it is not needed any more")
  func stripped() throws {
    let world = try RoutingWorld()
    try world.want(DesiredChanges(devices: [.ipip: DesiredDevice(address: try ip("10.65.1.1"))]))
    let index = try #require(world.kernel.link("tunl0")?.index)
    try world.change(DesiredChanges(devices: [.ipip: nil]))
    #expect(world.kernel.link("tunl0") != nil && !world.kernel.addressTable.contains { $0.interface == index })
  }

  @Test("section 4.6: what no event told of is found within ten seconds")
  func poll() throws {
    let world = try world()
    try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
    world.kernel.linkTable[InterfaceIndex(5)]?.mtu = 1200
    try world.wait(.seconds(11))
    #expect(world.kernel.link("vxlan.calico")?.mtu == 1450)
  }

  @Test("a device that somebody removes again and again is made with growing pauses")
  func removedAgain() throws {
    let world = try RoutingWorld()
    try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
    for _ in 0..<3 {
      guard let link = world.kernel.link("vxlan.calico") else { break }
      world.kernel.stranger(.deleteLink(link.index))
      try world.pass()
    }
    #expect(world.kernel.link("vxlan.calico") == nil)
    #expect(world.condition(.device, "vxlan.calico")?.contains("again and again") == true)
    try world.wait(.seconds(20))
    #expect(world.kernel.link("vxlan.calico") != nil)
  }

  @Test("a device that goes while it is set up is made again in the same pass")
  func goesMeanwhile() throws {
    let world = try world()
    try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
    // Of the two events only the first has arrived.
    var down = try #require(world.kernel.link("vxlan.calico"))
    down.isUp = false
    world.kernel.tells = false
    world.kernel.stranger(.deleteLink(down.index))
    world.kernel.queue = [.link(down)]
    try world.pass()
    #expect(world.kernel.link("vxlan.calico")?.isUp == true && world.reconciler.conditions.isEmpty)
  }

  @Test("R-31: checksum offload is switched off by configuration, or on kernels up to 5.7")
  func checksumOffload() throws {
    let world = try world({ _ in }, { $0.tunnelChecksumOffload = .off })
    try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
    #expect(world.kernel.offload == ["vxlan.calico": false])
    for (minor, expected) in [(7, false), (8, nil)] as [(Int, Bool?)] {
      let world = try self.world()
      world.reconciler = Reconciler(
        world.configuration, kernel: world.kernel, kernelVersion: KernelVersion(5, minor), seed: 1)
      try world.start()
      try world.want(DesiredChanges(devices: [vxlanV4: try vxlanDevice()]))
      #expect(world.kernel.offload["vxlan.calico"] == expected)
    }
  }

  @Test("R-9: the MTU is the parent's less the overhead, or the least of the cards', or the configured one")
  func mtu() throws {
    var configuration = RoutingConfiguration(nodeName: "n1")
    func link(_ name: String, _ mtu: UInt32) -> Link {
      Link(index: InterfaceIndex(3), name: name, isUp: true, isRunning: true, mtu: mtu)
    }
    func mtu(_ role: InterfaceRole, _ parent: Link?, _ links: [Link] = []) -> UInt32 {
      DeviceMTU.wanted(role, parent: parent, links: links, configuration)
    }
    #expect(mtu(vxlanV4, link("bond0", 9000)) == 8950)
    #expect(mtu(.vxlan(.v6), link("eth0", 1500)) == 1430)
    #expect(mtu(.ipip, link("eth0", 1500)) == 1480)
    #expect(mtu(.ipip, nil, [link("eth0", 1500), link("enp1s0", 1400), link("docker0", 1300)]) == 1380)
    #expect(mtu(.ipip, link("lo", 65536), [link("wlan0", 1492)]) == 1472)
    #expect(mtu(.ipip, nil) == 1440)
    configuration.vxlanMTUV4 = 1300
    #expect(mtu(vxlanV4, link("eth0", 1500)) == 1300)
  }

  @Test(
    "versions of kernels are read from what uname says",
    arguments: [("6.1.0-18-amd64", 6, 1), ("5.7", 5, 7), ("5.10-rc1", 5, 10)])
  func version(release: String, major: Int, minor: Int) {
    #expect(KernelVersion(release: release) == KernelVersion(major, minor))
    #expect(KernelVersion(release: "x.1") == nil && KernelVersion(release: "6") == nil)
  }
}
