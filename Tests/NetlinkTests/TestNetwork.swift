import CLinux
import Glibc
import IPAddressing
import TestSupport
import Testing

@testable import Netlink

/// Two ends of a cable in a namespace of its own: `eth0` with 172.30.1.11/24 and fd30:1::11/64, and `peer`.
struct TestNetwork {
  let kernel: NetlinkKernel
  let eth0: InterfaceIndex

  /// Why tests with nexthop objects may be left out.
  static let nextHopCondition: ConditionTrait = .enabled("needs a kernel with nexthop objects (from 5.3 on)") {
    try NetlinkKernel(timeout: 1).supportsNextHopObjects()
  }

  static func run(
    eventRoom: Int = 1 << 20, checksStrictly: Bool = true, _ body: (TestNetwork) throws -> Void
  ) throws {
    try NetworkNamespace.run {
      try NetworkNamespace.execute(
        """
        ip link set lo up
        ip link add eth0 type veth peer name peer
        ip link set eth0 addrgenmode none
        ip link set peer addrgenmode none
        ip link set eth0 up
        ip link set peer up
        ip address add 172.30.1.11/24 dev eth0
        ip address add fd30:1::11/64 dev eth0 nodad
        """)
      let kernel = try NetlinkKernel(timeout: 1, eventRoom: eventRoom, checksStrictly: checksStrictly)
      let eth0 = try #require(try kernel.links().first { $0.name == "eth0" }).index
      try kernel.waitForLocalRoute("fd30:1::11/128")
      try body(TestNetwork(kernel: kernel, eth0: eth0))
    }
  }

  /// Makes changes that must all be possible.
  func make(_ changes: KernelChange...) throws {
    let refusals = try kernel.apply(changes)
    #expect(refusals.isEmpty)
  }

  /// What the kernel says to one change.
  func refusal(_ change: KernelChange) throws -> KernelRefusal? { try kernel.apply([change])[0] }

  func link(_ name: String) throws -> Link { try #require(try kernel.links().first { $0.name == name }) }

  /// The routes of the agent's protocol, of both families.
  func ownRoutes() throws -> Set<Route> {
    Set(try kernel.routes(.v4, table: 254, origin: .agent) + kernel.routes(.v6, table: 254, origin: .agent))
  }

  /// A direct route through `eth0`.
  func direct(_ destination: CIDR, via gateway: IPAddress, isOnLink: Bool = true) -> Route {
    Route(
      RouteKey(destination, metric: destination.address.family == .v4 ? 0 : 1024), kind: .unicast, origin: .agent,
      hop: RouteHop(gateway: gateway, interface: eth0, isOnLink: isOnLink))
  }

  func blackhole(_ destination: CIDR) -> Route {
    Route(
      RouteKey(destination, metric: destination.address.family == .v4 ? 0 : 1024), kind: .blackhole, origin: .agent)
  }

  /// Makes a VXLAN device that is switched on.
  func makeVXLAN(
    _ name: String = "vxlan.calico", local: IPAddress = "172.30.1.11", hardwareAddress: HardwareAddress? = nil
  ) throws -> Link {
    let settings = VXLANSettings(identifier: 4096, port: 4789, local: local, lower: eth0)
    try make(
      .createLink(NewLink(name: name, kind: .vxlan(settings), mtu: 1430, hardwareAddress: hardwareAddress)))
    try make(.changeLink(try link(name).index, LinkChange(isUp: true)))
    return try link(name)
  }
}

extension NetlinkKernel {
  /// Waits until an IPv6 address is one of this machine: the kernel makes its route a while after the address.
  fileprivate func waitForLocalRoute(_ destination: CIDR) throws {
    for _ in 0..<100 {
      if try routes(.v6, table: 255, origin: .kernel).contains(where: { $0.key.destination == destination }) { return }
      var state = pollfd(fd: eventDescriptor, events: Int16(POLLIN), revents: 0)
      poll(&state, 1, 100)
      _ = try events()
    }
    throw SetupFailure("no local route to \(destination)", ETIMEDOUT)
  }

  /// The events of the main table: links tell of their state, and of the routes that come with it, a while later.
  func routeEvents() throws -> [KernelEvent] {
    try events().filter { event in
      switch event {
      case .route(let route, _), .routeGone(let route): route.key.table == RouteKey.mainTable
      case .overflow: true
      default: false
      }
    }
  }
}
