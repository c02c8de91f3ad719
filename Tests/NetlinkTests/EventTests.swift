import Glibc
import IPAddressing
import TestSupport
import Testing

@testable import Netlink

@Suite("Events", .serialized, NetworkNamespace.condition)
struct EventTests {
  /// Whether the descriptor says that there is something to read.
  private func isReadable(_ kernel: NetlinkKernel) -> Bool {
    var state = pollfd(fd: kernel.eventDescriptor, events: Int16(POLLIN), revents: 0)
    return poll(&state, 1, 0) == 1
  }

  @Test("own changes are not told, and of a stranger's each one is")
  func echoes() throws {
    try TestNetwork.run { network throws in
      let kernel = network.kernel
      let routes = (0..<1000).map { index in
        network.blackhole(CIDR(host: IPAddress(v4: 0x0A41_0000 + UInt32(index))))
      }
      #expect(try kernel.apply(routes.map { .addRoute($0) }).isEmpty)
      let v6 = (0..<100).map { index in
        network.direct(CIDR(host: IPAddress(v6: 0xFD65_0002 << 96 + UInt128(index))), via: "fd30:1::12")
      }
      #expect(try kernel.apply(v6.map { .replaceRoute($0) } + v6.map { .deleteRoute($0) }).isEmpty)
      #expect(try network.kernel.routeEvents().isEmpty)
      try NetworkNamespace.execute("ip route add 10.9.0.0/26 via 172.30.1.9 proto bird\nip route delete 10.65.0.7")
      #expect(isReadable(kernel))
      let foreign = Route(
        RouteKey("10.9.0.0/26", metric: 0), kind: .unicast, origin: .bird,
        hop: RouteHop(gateway: "172.30.1.9", interface: network.eth0))
      #expect(try network.kernel.routeEvents() == [.route(foreign, replacesAnother: false), .routeGone(routes[7])])
      #expect(try network.kernel.routeEvents().isEmpty)
      #expect(kernel.statistics.events >= 2)
    }
  }

  @Test("R-21: a stranger that takes a key over is told as a replacement, without a deletion of ours")
  func takenOver() throws {
    try TestNetwork.run { network throws in
      try network.make(.addRoute(network.direct("10.65.2.0/26", via: "172.30.1.12")))
      try NetworkNamespace.execute("ip route replace 10.65.2.0/26 via 172.30.1.9 proto bird")
      let events = try network.kernel.routeEvents()
      guard events.count == 1, case .route(let route, replacesAnother: true) = events[0] else {
        Issue.record("\(events)")
        return
      }
      #expect(route.origin == .bird)
    }
  }

  @Test("links and addresses are told as they come, change and go")
  func links() throws {
    try TestNetwork.run { network throws in
      let kernel = network.kernel
      try NetworkNamespace.execute("ip address add 172.30.1.50/24 dev eth0")
      let address = InterfaceAddress(interface: network.eth0, address: "172.30.1.50", prefixLength: 24)
      #expect(try kernel.events().contains(.address(address)))
      try NetworkNamespace.execute("ip address delete 172.30.1.50/24 dev eth0")
      #expect(try kernel.events().contains(.addressGone(address)))
      try NetworkNamespace.execute("ip link set eth0 down")
      let down = try kernel.events().contains { event in
        if case .link(let link) = event { link.index == network.eth0 && !link.isUp } else { false }
      }
      #expect(down)
      try NetworkNamespace.execute("ip link delete eth0")
      let gone = try kernel.events().contains { event in
        if case .linkGone(let link) = event { link.index == network.eth0 && link.name == "eth0" } else { false }
      }
      #expect(gone)
    }
  }

  @Test("of a device that this process makes, the address is not told; the link is, as if by the kernel")
  func ownDevice() throws {
    try TestNetwork.run { network throws in
      let tunnel = try network.makeVXLAN()
      let address = InterfaceAddress(interface: tunnel.index, address: "10.65.1.0", prefixLength: 32)
      try network.make(.addAddress(address))
      let events = try network.kernel.events()
      #expect(!events.contains(.address(address)))
      #expect(events.contains(.link(tunnel)))
    }
  }

  @Test("an interface that leaves a bridge is not gone")
  func bridgePort() throws {
    try TestNetwork.run { network throws in
      try NetworkNamespace.execute("ip link add br0 type bridge\nip link set peer master br0")
      _ = try network.kernel.events()
      try NetworkNamespace.execute("ip link set peer nomaster")
      let events = try network.kernel.events()
      let hasGone = events.contains { event in
        if case .linkGone = event { true } else { false }
      }
      #expect(!hasGone)
      let links = events.compactMap { event -> Link? in
        if case .link(let link) = event { link } else { nil }
      }
      #expect(links.contains { $0.name == "peer" && $0.kind == "veth" })
    }
  }

  @Test("neighbours are told for the chosen interfaces alone")
  func neighbours() throws {
    try TestNetwork.run { network throws in
      let kernel = network.kernel
      let tunnel = try network.makeVXLAN()
      func commands(_ hardwareAddress: String) -> String {
        """
        ip neighbour replace 10.65.3.0 lladdr \(hardwareAddress) dev vxlan.calico nud permanent
        ip neighbour replace 172.30.1.99 lladdr \(hardwareAddress) dev eth0 nud permanent
        """
      }
      func told() throws -> [KernelEvent] {
        try kernel.events().filter { event in
          switch event {
          case .neighbour(let neighbour), .neighbourGone(let neighbour): neighbour.address.family == .v4
          default: false
          }
        }
      }
      try NetworkNamespace.execute(commands("66:00:00:00:00:01"))
      #expect(try told().isEmpty)
      try kernel.watchNeighbours(of: [tunnel.index])
      try NetworkNamespace.execute(commands("66:93:7f:54:d5:53"))
      let neighbour = Neighbour(
        interface: tunnel.index, address: "10.65.3.0", hardwareAddress: "66:93:7f:54:d5:53")
      let events = try told()
      #expect(events == [.neighbour(neighbour)])
      try NetworkNamespace.execute("ip neighbour delete 10.65.3.0 dev vxlan.calico")
      let gone = try told()
      #expect(gone.contains { if case .neighbourGone(let gone) = $0 { gone.address == "10.65.3.0" } else { false } })
      try NetworkNamespace.execute("ip neighbour delete 172.30.1.99 dev eth0")
      #expect(try told().isEmpty)
    }
  }

  @Test("nexthop objects are told", TestNetwork.nextHopCondition)
  func nextHops() throws {
    try TestNetwork.run { network throws in
      try NetworkNamespace.execute("ip nexthop add id 77 via 172.30.1.12 dev eth0 proto bird")
      let object = NextHop(
        id: 77, origin: .bird, hop: RouteHop(gateway: "172.30.1.12", interface: network.eth0))
      #expect(try network.kernel.events().contains(.nextHop(object)))
      try NetworkNamespace.execute("ip nexthop delete id 77")
      #expect(try network.kernel.events().contains(.nextHopGone(object)))
    }
  }

  @Test("what does not fit into 4 KiB is an overflow, told once, and events go on after it")
  func overflow() throws {
    try TestNetwork.run(eventRoom: 4096) { network throws in
      let kernel = network.kernel
      let stranger = try NetlinkKernel(timeout: 1, eventRoom: 4096)
      let changes = (0..<10_000).map { index in
        KernelChange.addRoute(
          Route(
            RouteKey(CIDR(host: IPAddress(v4: 0x0A41_0000 + UInt32(index))), metric: 0), kind: .blackhole,
            origin: .bird))
      }
      #expect(try stranger.apply(changes).isEmpty)
      let events = try kernel.events()
      #expect(events.count { $0 == .overflow } == 1)
      #expect(events.count < 20)
      #expect(kernel.statistics.overflows == 1)
      #expect(try network.kernel.routeEvents().isEmpty)
      let last = Route(RouteKey("10.9.0.0/26", metric: 0), kind: .blackhole, origin: .bird)
      #expect(try stranger.apply([.addRoute(last)]).isEmpty)
      #expect(try network.kernel.routeEvents() == [.route(last, replacesAnother: false)])
    }
  }
}
