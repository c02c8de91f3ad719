import IPAddressing
import Netlink
import Testing

@testable import Routing

/// Whose routes are whose (routes specification, sections 2.1, 2.2 and 2.8).
@Suite("Ownership of routes")
struct OwnershipTests {
  /// A route of somebody else's through the router.
  private func foreign(_ world: RoutingWorld, _ text: String, _ origin: RouteProtocol, metric: UInt32? = nil) throws
    -> Route
  {
    var key = try world.key(text)
    if let metric { key.metric = metric }
    return Route(
      key, kind: .unicast, origin: origin,
      hop: RouteHop(gateway: try ip("172.30.1.1"), interface: RoutingWorld.eth0, isOnLink: true))
  }

  @Test("R-10: routes with our protocol in our table that are not wanted are removed, and no others")
  func ownership() throws {
    let world = try RoutingWorld(start: false)
    var other = Route(try world.key("10.65.9.0/26"), kind: .blackhole, origin: .agent)
    other.key.table = 100
    let ours = Route(try world.key("10.65.8.0/26"), kind: .blackhole, origin: .agent)
    let theirs = try foreign(world, "10.65.7.0/26", .static)
    for route in [other, ours, theirs] { world.kernel.stranger(.addRoute(route)) }
    try world.start()
    world.answersRequests = true
    try world.want(DesiredChanges(routes: [try world.key("10.65.1.0/26"): try blackhole("10.65.1.0/26")]))
    try world.wait(.seconds(30))
    #expect(world.kernel.route(ours.key) == nil)
    #expect(world.kernel.route(other.key) == other)
    #expect(world.kernel.route(theirs.key) == theirs)
  }

  @Test(
    "a key that somebody else has is left alone, named, and taken when it is free", arguments: [4, 12, 80] as [UInt8])
  func holding(number: UInt8) throws {
    let world = try RoutingWorld()
    let theirs = try foreign(world, "10.65.2.0/26", RouteProtocol(number))
    world.kernel.stranger(.addRoute(theirs))
    try world.want(DesiredChanges(routes: [theirs.key: try direct("172.30.1.12")]))
    #expect(world.kernel.route(theirs.key) == theirs)
    #expect(world.condition(.foreign, "10.65.2.0/26")?.contains("protocol \(number)") == true)
    #expect(world.reconciler.counts(.v4).held == 1)
    world.kernel.stranger(.deleteRoute(theirs))
    try world.pass()
    #expect(try world.route("10.65.2.0/26")?.origin == .agent)
    #expect(world.condition(.foreign, "10.65.2.0/26") == nil)
  }

  @Test("R-32: routes of BIRD and Felix at another metric are respected before anything is programmed")
  func otherMetric() throws {
    let world = try RoutingWorld()
    let theirs = try foreign(world, "10.65.2.0/26", .bird, metric: 1024)
    world.kernel.stranger(.addRoute(theirs))
    try world.want(DesiredChanges(routes: [try world.key("10.65.2.0/26"): try direct("172.30.1.12")]))
    #expect(try world.route("10.65.2.0/26") == nil)
    #expect(world.condition(.foreign, "10.65.2.0/26")?.contains("BIRD (protocol 12)") == true)
    world.kernel.stranger(.deleteRoute(theirs))
    try world.pass()
    #expect(try world.route("10.65.2.0/26")?.origin == .agent)
  }

  @Test("at a restart with routes of our own nobody else's are read, and no route message is sent for IPv4")
  func quietRestart() throws {
    let world = try RoutingWorld()
    let wanted = DesiredChanges(
      routes: [
        try world.key("10.65.1.0/26"): try blackhole("10.65.1.0/26"),
        try world.key("10.65.2.0/26"): try direct("172.30.1.12"),
        try world.key("fd65:2::/122"): try direct("fd30:1::12"),
      ])
    try world.want(wanted)
    try world.restart()
    try world.want(wanted)
    #expect(world.routeMessages.isEmpty)
    #expect(world.kernel.dumps.filter { $0.hasPrefix("routes") }.sorted() == ["routes v4 84", "routes v6 84"])
  }

  @Test("R-12: BIRD's and Felix's routes are taken over only when that is asked for")
  func adoption() throws {
    let world = try RoutingWorld {
      $0.adoptsBirdRoutes = true
      $0.deletionValve.count = 1000
    }
    var stale = try foreign(world, "10.65.9.0/26", .bird)
    let onCard = try foreign(world, "10.65.8.0/26", .bird)
    let wanted = try foreign(world, "10.65.2.0/26", .bird)
    let felix = try foreign(world, "10.65.3.0/26", .felix)
    world.kernel.add(
      Link(index: InterfaceIndex(5), name: "tunl0", isUp: true, isRunning: true, mtu: 1480, kind: "ipip"))
    stale.hop?.interface = InterfaceIndex(5)
    for route in [stale, onCard, wanted, felix] { world.kernel.stranger(.addRoute(route)) }
    try world.restart()
    try world.want(
      DesiredChanges(routes: [wanted.key: try direct("172.30.1.12"), felix.key: try direct("172.30.1.13")]))
    #expect(world.kernel.route(wanted.key)?.origin == .agent)
    #expect(world.kernel.route(stale.key) == nil)
    #expect(world.kernel.route(onCard.key) == onCard)
    #expect(world.kernel.route(felix.key) == felix)
  }

  @Test("R-12: Felix's routes with protocol 3 are taken over on VXLAN devices only")
  func felixAdoption() throws {
    let world = try RoutingWorld { $0.adoptsFelixRoutes = true }
    world.kernel.add(
      Link(
        index: InterfaceIndex(5), name: "vxlan.calico", isUp: true, isRunning: true, mtu: 1450, kind: "vxlan",
        vxlan: VXLANSettings(identifier: 4096, port: 4789, local: try ip("172.30.1.11"), lower: RoutingWorld.eth0)))
    var stale = try foreign(world, "10.65.9.0/26", .boot)
    stale.hop?.interface = InterfaceIndex(5)
    let onCard = try foreign(world, "10.65.8.0/26", .boot)
    for route in [stale, onCard] { world.kernel.stranger(.addRoute(route)) }
    try world.restart()
    try world.want(DesiredChanges(routes: [try world.key("10.65.1.0/26"): try blackhole("10.65.1.0/26")]))
    #expect(world.kernel.route(stale.key) == nil)
    #expect(world.kernel.route(onCard.key) == onCard)
  }

  @Test("R-15: a deletion names protocol, type, gateway and interface")
  func exactDeletion() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    try world.want(
      DesiredChanges(routes: [key: try direct("172.30.1.12"), try world.key("10.65.4.0/26"): try direct("172.30.1.13")])
    )
    world.kernel.sent = []
    try world.change(DesiredChanges(routes: [key: nil]))
    #expect(
      world.kernel.sent == [
        .deleteRoute(
          Route(
            key, kind: .unicast, origin: .agent,
            hop: RouteHop(gateway: try ip("172.30.1.12"), interface: RoutingWorld.eth0, isOnLink: true)))
      ])
  }

  @Test("a route that somebody made of ours stays when ours is no longer wanted")
  func deletionOfAnothers() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    try world.want(DesiredChanges(routes: [key: try direct("172.30.1.12")]))
    let theirs = try foreign(world, "10.65.2.0/26", .static)
    // The event is on its way while the removal is sent.
    world.kernel.tells = false
    world.kernel.stranger(.replaceRoute(theirs))
    try world.change(DesiredChanges(routes: [key: nil]))
    #expect(world.kernel.route(key) == theirs)
    #expect(world.reconciler.removals.isEmpty)
  }

  @Test("R-21: a route that is removed or replaced is retaken in the next pass, which is due at once")
  func retaking() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    try world.want(DesiredChanges(routes: [key: try direct("172.30.1.12")]))
    let ours = try #require(world.kernel.route(key))
    world.kernel.stranger(.deleteRoute(ours))
    try world.pass()
    #expect(world.kernel.route(key) == ours)
    world.kernel.stranger(.replaceRoute(try foreign(world, "10.65.2.0/26", .bird)))
    try world.pass()
    #expect(world.kernel.route(key) == ours)
    #expect(world.reconciler.statistics.disturbances == 2)
  }

  @Test("a route disturbed three times within ten seconds is retaken with growing pauses, and the other one is named")
  func damping() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    try world.want(DesiredChanges(routes: [key: try direct("172.30.1.12")]))
    let theirs = try foreign(world, "10.65.2.0/26", .bird)
    for _ in 0..<3 {
      world.kernel.stranger(.replaceRoute(theirs))
      try world.pass()
    }
    #expect(world.kernel.route(key) == theirs)
    #expect(world.condition(.foreign, "10.65.2.0/26")?.contains("BIRD") == true)
    #expect(world.last.nextWake == world.now + .seconds(1))
    try world.wait(.seconds(1))
    #expect(world.kernel.route(key)?.origin == .agent)
    world.kernel.stranger(.replaceRoute(theirs))
    try world.pass()
    #expect(world.last.nextWake == world.now + .seconds(2))
    try world.wait(.seconds(60))
    #expect(world.condition(.foreign, "10.65.2.0/26") == nil)
  }

  @Test("a route put before ours is found by a look, ours behind it is removed, and the key retaken")
  func shadow() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    try world.want(DesiredChanges(routes: [key: try direct("172.30.1.12")]))
    world.kernel.strangerInserts(try foreign(world, "10.65.2.0/26", .static), first: true)
    #expect(world.kernel.routeTable[key]?.count == 2)
    try world.settle()
    #expect(world.kernel.routeTable[key]?.map(\.origin) == [.agent])
  }

  @Test("a second way that somebody appends to our IPv6 route goes with the next replacement")
  func multipath() throws {
    let world = try RoutingWorld()
    let key = try world.key("fd65:2::/122")
    try world.want(DesiredChanges(routes: [key: try direct("fd30:1::12")]))
    world.kernel.strangerInserts(
      Route(
        key, kind: .unicast, origin: .static,
        hop: RouteHop(gateway: try ip("fd30:1::99"), interface: RoutingWorld.eth0, isOnLink: true)), first: false)
    try world.settle()
    #expect(world.kernel.routeTable[key]?.map(\.origin) == [.agent])
  }

  @Test("cleanup removes exactly what is ours, and leaves a device that others use")
  func cleanup() throws {
    let world = try RoutingWorld()
    try world.want(
      DesiredChanges(
        routes: [
          try world.key("10.65.1.0/26"): try blackhole("10.65.1.0/26"),
          try world.key("10.65.3.0/26"): try vxlan("10.65.3.0"),
        ], devices: [.vxlan(.v4): try vxlanDevice()]))
    let theirs = try foreign(world, "10.65.2.0/26", .felix)
    world.kernel.stranger(.addRoute(theirs))
    let report = try world.reconciler.cleanup(at: world.now)
    #expect(report.routes.count == 2 && report.devices == ["vxlan.calico"] && report.left.isEmpty)
    #expect(world.kernel.routeTable.keys.map { $0 } == [theirs.key])
    #expect(world.kernel.link("vxlan.calico") == nil)
  }
}
