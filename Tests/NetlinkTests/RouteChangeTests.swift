import Glibc
import IPAddressing
import Netlink
import TestSupport
import Testing

@Suite("Changes of routes", .serialized, NetworkNamespace.condition)
struct RouteChangeTests {
  @Test("direct routes, tunnel routes and blackholes of both families are there as they were sent, until deleted")
  func routes() throws {
    try TestNetwork.run { network throws in
      let tunnel = try network.makeVXLAN()
      var viaTunnel = network.direct("10.65.3.0/26", via: "10.65.3.0")
      viaTunnel.hop?.interface = tunnel.index
      viaTunnel.mtu = 1450
      var onDevice = network.direct("10.65.3.1/32", via: "10.65.3.0")
      onDevice.hop = RouteHop(interface: tunnel.index)
      onDevice.scope = 253
      let routes = [
        network.direct("10.65.2.0/26", via: "172.30.1.12"), network.blackhole("10.65.1.0/26"), viaTunnel, onDevice,
        network.direct("fd65:2::/122", via: "fd30:1::12"), network.blackhole("fd65:1::/122"),
      ]
      for change in [KernelChange.addRoute, KernelChange.replaceRoute] {
        #expect(try network.kernel.apply(routes.map(change)).isEmpty)
        #expect(try network.ownRoutes() == Set(routes))
        #expect(try network.kernel.apply(routes.map { .deleteRoute($0) }).isEmpty)
        #expect(try network.ownRoutes().isEmpty)
      }
    }
  }

  @Test("R-23: a replacement changes type and next hop in place, whoever had the key, and no deletion is told")
  func replacement() throws {
    try TestNetwork.run { network throws in
      try NetworkNamespace.execute("ip route add 10.65.2.0/26 via 172.30.1.9 proto bird")
      let watcher = try NetlinkKernel(timeout: 1)
      let direct = network.direct("10.65.2.0/26", via: "172.30.1.12")
      let blackhole = network.blackhole("10.65.2.0/26")
      try network.make(.replaceRoute(direct), .replaceRoute(blackhole), .replaceRoute(direct))
      #expect(
        try watcher.routeEvents()
          == [
            .route(direct, replacesAnother: true), .route(blackhole, replacesAnother: true),
            .route(direct, replacesAnother: true),
          ])
      #expect(try network.kernel.routes(.v4, table: 254, origin: .bird).isEmpty)
    }
  }

  @Test("R-15: a deletion leaves a stranger's route alone, at the same key and at another metric")
  func exactDeletion() throws {
    try TestNetwork.run { network throws in
      try NetworkNamespace.execute(
        """
        ip route add 10.65.2.0/26 via 172.30.1.12 proto bird onlink dev eth0
        ip route add 10.65.2.0/26 via 172.30.1.12 proto bird onlink dev eth0 metric 50
        """)
      let refusal = try network.refusal(.deleteRoute(network.direct("10.65.2.0/26", via: "172.30.1.12")))
      #expect(refusal?.errno == ESRCH)
      #expect(try network.kernel.routes(.v4, table: 254, origin: .bird).count == 2)
    }
  }

  @Test("R-15: of an IPv6 multipath route only the own way goes, and the stranger's stays")
  func multipathSibling() throws {
    try TestNetwork.run { network throws in
      let own = network.direct("fd65:2::/122", via: "fd30:1::12")
      try network.make(.replaceRoute(own))
      try NetworkNamespace.execute("ip -6 route append fd65:2::/122 via fd30:1::99 dev eth0 proto bird metric 1024")
      let merged = try network.kernel.routes(.v6, table: 254, origin: nil).first { $0.key == own.key }
      #expect(merged?.hop?.gateway == "fd30:1::12")
      #expect(merged?.otherHops.map(\.gateway) == ["fd30:1::99"])
      try network.make(.deleteRoute(own))
      let left = try network.kernel.routes(.v6, table: 254, origin: nil).first { $0.key == own.key }
      #expect(left?.hop?.gateway == "fd30:1::99")
      #expect(left?.otherHops.isEmpty == true)
    }
  }

  @Test("multipath routes are sent and listed with all their ways", arguments: [AddressFamily.v4, .v6])
  func multipath(family: AddressFamily) throws {
    try TestNetwork.run { network throws in
      var route =
        family == .v4
        ? network.direct("10.65.2.0/26", via: "172.30.1.12") : network.direct("fd65:2::/122", via: "fd30:1::12")
      route.otherHops = [
        RouteHop(gateway: family == .v4 ? "172.30.1.13" : "fd30:1::13", interface: network.eth0, isOnLink: true)
      ]
      try network.make(.replaceRoute(route))
      #expect(try network.ownRoutes() == [route])
    }
  }

  @Test("an IPv4 route can go through an IPv6 gateway")
  func gatewayOfOtherFamily() throws {
    try TestNetwork.run { network throws in
      let route = network.direct("10.65.2.0/26", via: "fd30:1::12")
      try network.make(.replaceRoute(route))
      #expect(try network.ownRoutes() == [route])
      try network.make(.deleteRoute(route))
      #expect(try network.ownRoutes().isEmpty)
    }
  }

  @Test("a preferred source is set, and one that is not local is refused in the kernel's words")
  func preferredSource() throws {
    try TestNetwork.run { network throws in
      var v4 = network.direct("10.65.2.0/26", via: "172.30.1.12")
      v4.preferredSource = "172.30.1.11"
      var v6 = network.direct("fd65:2::/122", via: "fd30:1::12")
      v6.preferredSource = "fd30:1::11"
      try network.make(.replaceRoute(v4), .replaceRoute(v6))
      #expect(try network.ownRoutes() == [v4, v6])
      v4.preferredSource = "172.30.1.77"
      #expect(
        try network.refusal(.replaceRoute(v4)) == KernelRefusal(errno: EINVAL, explanation: "Invalid prefsrc address"))
      v6.preferredSource = "fd30:1::77"
      #expect(
        try network.refusal(.replaceRoute(v6)) == KernelRefusal(errno: EINVAL, explanation: "Invalid source address"))
    }
  }

  @Test("a route in a table above 255 is listed from there alone")
  func largeTable() throws {
    try TestNetwork.run { network throws in
      var route = network.direct("10.65.2.0/26", via: "172.30.1.12")
      route.key.table = 5000
      try network.make(.replaceRoute(route))
      #expect(try network.ownRoutes().isEmpty)
      #expect(try network.kernel.routes(.v4, table: 5000, origin: .agent) == [route])
      try network.make(.deleteRoute(route))
      #expect(try network.kernel.routes(.v4, table: 5000, origin: .agent).isEmpty)
    }
  }

  /// A change that the kernel refuses, and how (routes specification, section 2.2).
  struct Case: CustomTestStringConvertible {
    let name: String
    let destination: CIDR
    let gateway: IPAddress?
    var isOnLink = true
    var interface: InterfaceIndex?
    var hasInterface = true
    var kind = RouteKind.unicast
    var scope: UInt8 = 0
    let errno: Int32
    let explanation: String?

    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "IPv4 gateway off the link", destination: "10.65.2.0/26", gateway: "10.9.9.9", isOnLink: false,
      errno: ENETUNREACH, explanation: "Nexthop has invalid gateway"),
    Case(
      name: "IPv6 gateway off the link", destination: "fd65:2::/122", gateway: "fd99::1", isOnLink: false,
      errno: EHOSTUNREACH, explanation: nil),
    Case(
      name: "IPv4 on a link that is not named", destination: "10.65.2.0/26", gateway: "172.30.1.12",
      hasInterface: false, errno: ENODEV, explanation: "Nexthop device required for onlink"),
    Case(
      name: "IPv6 on a link that is not named", destination: "fd65:2::/122", gateway: "fd30:1::12",
      hasInterface: false, errno: ENODEV, explanation: "Nexthop device required for onlink"),
    Case(
      name: "an interface that is not there", destination: "10.65.2.0/26", gateway: "172.30.1.12",
      interface: InterfaceIndex(4_000_000), errno: ENODEV, explanation: nil),
    Case(
      name: "IPv4 gateway that is an own address", destination: "10.65.2.0/26", gateway: "172.30.1.11",
      errno: EINVAL, explanation: "Nexthop has invalid gateway"),
    Case(
      name: "IPv6 gateway that is an own address", destination: "fd65:2::/122", gateway: "fd30:1::11",
      errno: EINVAL, explanation: "Gateway can not be a local address"),
    Case(
      name: "blackhole with a device", destination: "10.65.2.0/26", gateway: nil, isOnLink: false, kind: .blackhole,
      errno: EINVAL, explanation: "Gateway, device and multipath can not be specified for this route type"),
    Case(
      name: "scope of the link with a gateway", destination: "10.65.2.0/26", gateway: "172.30.1.12", isOnLink: false,
      scope: 253, errno: ENETUNREACH, explanation: nil),
  ]

  @Test("what the kernel refuses is told with its number and its words, and the rest is done", arguments: cases)
  func refusals(item: Case) throws {
    try TestNetwork.run { network throws in
      var route = network.blackhole(item.destination)
      route.kind = item.kind
      route.scope = item.scope
      route.hop = RouteHop(
        gateway: item.gateway, interface: item.hasInterface ? item.interface ?? network.eth0 : nil,
        isOnLink: item.isOnLink)
      let before = network.blackhole("10.1.0.0/26")
      let after = network.blackhole("10.2.0.0/26")
      let refusals = try network.kernel.apply([.replaceRoute(before), .replaceRoute(route), .replaceRoute(after)])
      #expect(refusals.keys.sorted() == [1])
      #expect(refusals[1]?.errno == item.errno)
      if let explanation = item.explanation { #expect(refusals[1]?.explanation == explanation) }
      #expect(try network.ownRoutes() == [before, after])
    }
  }

  @Test("a device that is switched off is refused in the kernel's words, and a taken key by its number")
  func stateOfDevice() throws {
    try TestNetwork.run { network throws in
      let v4 = network.direct("10.65.2.0/26", via: "172.30.1.12")
      let v6 = network.direct("fd65:2::/122", via: "fd30:1::12")
      try network.make(.addRoute(v4))
      #expect(try network.refusal(.addRoute(network.blackhole("10.65.2.0/26")))?.errno == EEXIST)
      try NetworkNamespace.execute("ip link set eth0 down")
      let refusals = try network.kernel.apply([.replaceRoute(v4), .replaceRoute(v6)])
      #expect(refusals[0]?.errno == ENETDOWN)
      let explanation = try #require(refusals[0]?.explanation)
      #expect(["Nexthop device is not up", "Device for nexthop is not up"].contains(explanation))
      #expect(refusals[1]?.errno == ENETDOWN)
    }
  }

  @Test("a deletion from a table that does not exist says so")
  func missingTable() throws {
    try TestNetwork.run { network throws in
      var route = network.blackhole("10.65.1.0/26")
      route.key.table = 777
      #expect(
        try network.refusal(.deleteRoute(route)) == KernelRefusal(errno: ESRCH, explanation: "FIB table does not exist")
      )
    }
  }
}
