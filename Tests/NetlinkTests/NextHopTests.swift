import Glibc
import IPAddressing
import Netlink
import TestSupport
import Testing

@Suite("Nexthop objects", .serialized, NetworkNamespace.condition, TestNetwork.nextHopCondition)
struct NextHopTests {
  @Test("R-14: a route goes through an object, follows it elsewhere, and only own objects are listed")
  func objects() throws {
    try TestNetwork.run { network throws in
      let kernel = network.kernel
      let tunnel = try network.makeVXLAN()
      try NetworkNamespace.execute("ip nexthop add id 77 via 172.30.1.12 dev eth0 proto bird")
      var object = NextHop(
        id: 0x5000_0001, origin: .agent, hop: RouteHop(gateway: "10.65.3.0", interface: tunnel.index, isOnLink: true))
      let objectV6 = NextHop(
        id: 0x5000_0002, origin: .agent, hop: RouteHop(gateway: "fd65:3::", interface: tunnel.index, isOnLink: true))
      var route = Route(
        RouteKey("10.65.3.0/26", metric: 0), kind: .unicast, origin: .agent, mtu: 1450, nextHopID: object.id)
      var routeV6 = Route(
        RouteKey("fd65:3::/122", metric: 1024), kind: .unicast, origin: .agent, mtu: 1430, nextHopID: objectV6.id)
      try network.make(
        .replaceNextHop(object), .replaceNextHop(objectV6), .replaceRoute(route), .replaceRoute(routeV6))
      #expect(Set(try kernel.nextHops(origin: .agent)) == [object, objectV6])
      route.hop = object.hop
      routeV6.hop = objectV6.hop
      #expect(try network.ownRoutes() == [route, routeV6])

      object.hop?.gateway = "10.65.3.9"
      try network.make(.replaceNextHop(object))
      route.hop = object.hop
      #expect(try network.ownRoutes() == [route, routeV6])

      // As they are listed: with the hop that the object gives them.
      try network.make(.deleteRoute(route), .deleteRoute(routeV6))
      #expect(try network.ownRoutes().isEmpty)
      try network.make(.deleteNextHop(id: object.id), .deleteNextHop(id: objectV6.id))
      #expect(try kernel.nextHops(origin: .agent).isEmpty)
      #expect(try kernel.nextHops(origin: .bird).map(\.id) == [77])
      #expect(try network.refusal(.deleteNextHop(id: object.id))?.errno == ENOENT)
    }
  }

  @Test("a route through an object that is not there is refused in the kernel's words; so is an object without a way")
  func missing() throws {
    try TestNetwork.run { network throws in
      let route = Route(
        RouteKey("10.65.3.0/26", metric: 0), kind: .unicast, origin: .agent, nextHopID: 0x5000_0009)
      #expect(
        try network.refusal(.replaceRoute(route))
          == KernelRefusal(errno: EINVAL, explanation: "Nexthop id does not exist"))
      #expect(
        try network.refusal(.replaceNextHop(NextHop(id: 1, origin: .agent, hop: nil)))?.errno == EINVAL)
    }
  }

  @Test("groups and blackholes are listed without a way")
  func otherKinds() throws {
    try TestNetwork.run { network throws in
      try NetworkNamespace.execute(
        """
        ip nexthop add id 1 via 172.30.1.12 dev eth0 proto 84
        ip nexthop add id 2 group 1 proto 84
        ip nexthop add id 3 blackhole proto 84
        """)
      let objects = try network.kernel.nextHops(origin: .agent)
      let haveWay = Dictionary(uniqueKeysWithValues: objects.map { ($0.id, $0.hop != nil) })
      #expect(haveWay == [1: true, 2: false, 3: false])
    }
  }
}
