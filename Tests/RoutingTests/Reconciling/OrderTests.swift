import IPAddressing
import Netlink
import Testing

@testable import Routing

/// What is sent, and in which order (routes specification, sections 2.3 to 2.6, 2.10 and 2.12).
@Suite("Order of changes")
struct OrderTests {
  private func tunnels(_ world: RoutingWorld) throws -> DesiredChanges {
    var exact = try vxlan("10.65.3.0")
    exact.path = .hop(.vxlan(.v4), gateway: nil, isOnLink: false)
    exact.isToTunnelAddress = true
    return DesiredChanges(
      routes: [
        try world.key("10.65.1.0/26"): try blackhole("10.65.1.0/26"),
        try world.key("10.65.1.9/32"): try vxlan("10.65.3.0"),
        try world.key("10.65.3.0/26"): try vxlan("10.65.3.0"),
        try world.key("10.65.2.5/32"): exact,
      ],
      peers: [TunnelPeerKey(node: "n3", family: .v4): try peer("10.65.3.0", "66:00:00:00:00:03", "172.30.2.13")],
      devices: [.vxlan(.v4): try vxlanDevice()])
  }

  /// What a change is about, for the order of kinds.
  private func stage(_ change: KernelChange) -> String {
    switch change {
    case .createLink, .changeLink, .addAddress: "device"
    case .replaceNeighbour, .replaceForwarding: "peer"
    case .replaceNextHop: "object"
    case .addRoute(let route), .replaceRoute(let route): "\(route.key.destination)"
    case .deleteRoute: "remove route"
    case .deleteNextHop: "remove object"
    case .deleteNeighbour, .deleteForwarding: "remove peer"
    case .deleteLink, .deleteAddress: "remove device"
    }
  }

  private func stages(_ world: RoutingWorld) -> [String] {
    var stages: [String] = []
    for change in world.kernel.sent where stages.last != stage(change) { stages.append(stage(change)) }
    return stages
  }

  @Test("R-22: devices, neighbours, objects, tunnel addresses, then longer prefixes before shorter ones")
  func additions() throws {
    let world = try RoutingWorld { $0.nextHopObjects = .on }
    try world.want(try tunnels(world))
    let stages = stages(world)
    #expect(Array(stages.prefix(4)) == ["device", "peer", "object", "10.65.2.5/32"])
    #expect(stages[4] == "10.65.1.9/32")
    #expect(Set(stages.dropFirst(5)) == ["10.65.1.0/26", "10.65.3.0/26"])
  }

  @Test(
    "routes to many gateways go out gateway by gateway, those to few in the order of destinations",
    arguments: [(60, false), (4, true)])
  func gateways(count: Int, isInOrder: Bool) throws {
    let world = try RoutingWorld { $0.nextHopObjects = .off }
    var changes = DesiredChanges()
    for number in 0..<120 {
      let route = try direct("172.30.1.\(100 + number % count)")
      changes.routes.updateValue(route, forKey: try world.key("10.66.\(number).0/26"))
    }
    try world.want(changes)
    let sent = world.kernel.sent.compactMap { change -> Route? in
      if case .addRoute(let route) = change { route } else { nil }
    }
    #expect(sent.count == 120)
    let steps = zip(sent, sent.dropFirst())
    #expect(steps.allSatisfy { $0.key < $1.key } == isInOrder)
    let turns = steps.count { $0.hop?.gateway != $1.hop?.gateway }
    #expect(turns == (isInOrder ? 119 : count - 1))
  }

  @Test("R-22: routes go before the objects and neighbours that they needed, and the device last")
  func removals() throws {
    let world = try RoutingWorld {
      $0.nextHopObjects = .on
      $0.deletionValve.count = 1000
    }
    let wanted = try tunnels(world)
    try world.want(wanted)
    world.kernel.sent = []
    let keep = try world.key("10.65.1.0/26")
    try world.change(
      DesiredChanges(
        routes: Dictionary(uniqueKeysWithValues: wanted.routes.keys.filter { $0 != keep }.map { ($0, nil) }),
        peers: [TunnelPeerKey(node: "n3", family: .v4): nil], devices: [.vxlan(.v4): nil]))
    // Entries of a device that goes go with it.
    #expect(stages(world) == ["remove route", "remove object", "remove device"])
    try world.change(wanted)
    world.kernel.sent = []
    try world.change(
      DesiredChanges(
        routes: Dictionary(uniqueKeysWithValues: wanted.routes.keys.filter { $0 != keep }.map { ($0, nil) }),
        peers: [TunnelPeerKey(node: "n3", family: .v4): nil]))
    #expect(stages(world) == ["remove route", "remove object", "remove peer"])
  }

  @Test("R-23: whatever a route becomes, one replacement makes it, and it is never away")
  func replacement() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    let steps = [
      try blackhole("10.65.2.0/26"), try direct("172.30.1.12"), try vxlan("10.65.3.0"), try blackhole("10.65.2.0/26"),
      try direct("172.30.1.13"),
    ]
    try world.want(DesiredChanges(routes: [key: steps[0]], devices: [.vxlan(.v4): try vxlanDevice()]))
    for step in steps.dropFirst() {
      world.kernel.sent = []
      try world.change(DesiredChanges(routes: [key: step]))
      #expect(world.kernel.sent.count == 1)
      guard case .replaceRoute = world.kernel.sent.first else {
        Issue.record("\(world.kernel.sent)")
        return
      }
    }
  }

  @Test("R-23: with another metric the new route is added before the old one is removed, however many there are")
  func metric() throws {
    let world = try RoutingWorld { $0.routeMetricV4 = 50 }
    let old = (0..<80).compactMap { number -> Route? in
      guard let prefix = CIDR("10.65.\(number).0/26") else { return nil }
      return Route(RouteKey(prefix, metric: 0), kind: .blackhole, origin: .agent)
    }
    for route in old { world.kernel.stranger(.addRoute(route)) }
    try world.restart()
    var routes: [RouteKey: DesiredRoute?] = [:]
    for route in old { routes[world.configuration.key(route.key.destination)] = try blackhole("10.65.0.0/26") }
    try world.want(DesiredChanges(routes: routes))
    #expect(world.kernel.routeTable.keys.allSatisfy { $0.metric == 50 } && world.kernel.routeTable.count == 80)
    #expect(stages(world).last == "remove route" && stages(world).filter { $0 == "remove route" }.count == 1)
  }

  @Test("R-16: what the kernel adds of its own is no difference, and gateway, interface, flag, MTU and source are")
  func comparison() throws {
    let key = RouteKey(try cidr("10.65.2.0/26"), metric: 0)
    let route = Route(
      key, kind: .unicast, origin: .agent,
      hop: RouteHop(gateway: try ip("172.30.1.12"), interface: RoutingWorld.eth0, isOnLink: true), mtu: 1450)
    var same = route
    same.scope = 77
    #expect(RouteValue(same) == RouteValue(route))
    let changes: [(inout Route) -> Void] = [
      { $0.kind = .blackhole }, { $0.origin = .bird }, { $0.hop?.gateway = IPAddress(v4: 1) },
      { $0.hop?.interface = InterfaceIndex(9) }, { $0.hop?.isOnLink = false }, { $0.mtu = 1400 },
      { $0.preferredSource = IPAddress(v4: 1) }, { $0.nextHopID = 1 }, { $0.otherHops = [RouteHop()] },
    ]
    for change in changes {
      var other = route
      change(&other)
      #expect(RouteValue(other) != RouteValue(route))
    }
  }

  @Test("R-18: events and wishes change nothing before the next pass")
  func levelTriggered() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    try world.want(DesiredChanges(routes: [key: try direct("172.30.1.12")]))
    world.kernel.sent = []
    world.reconciler.receive([.routeGone(try #require(world.kernel.route(key))), .overflow], at: world.now)
    world.reconciler.receive(DesiredChanges(routes: [key: nil]))
    #expect(world.kernel.sent.isEmpty)
  }

  @Test("nothing is changed before everything was listed once")
  func beforeListing() throws {
    let world = try RoutingWorld()
    world.kernel.stranger(.addRoute(Route(try world.key("10.65.9.0/26"), kind: .blackhole, origin: .agent)))
    world.reconciler.receive(
      DesiredChanges(
        routes: [try world.key("10.65.1.0/26"): try blackhole("10.65.1.0/26")],
        devices: [.vxlan(.v4): try vxlanDevice()]))
    try world.pass()
    #expect(world.kernel.sent.isEmpty)
  }

  @Test("R-19: an IPv6 route that a dump does not show is sent again, and neither counted nor told as missing")
  func hiddenRoute() throws {
    let world = try RoutingWorld()
    let key = try world.key("fd65:2::/122")
    try world.want(DesiredChanges(routes: [key: try direct("fd30:1::12")]))
    world.kernel.hides = { _ in true }
    world.kernel.sent = []
    world.now += .seconds(5)
    world.reconciler.requestResync(at: world.now)
    try world.pass()
    #expect(world.kernel.sent.count == 1)
    #expect(world.reconciler.counts(.v6).present == 1)
    #expect(world.reconciler.conditions.isEmpty && world.reconciler.statistics.disturbances == 0)
  }

  @Test("R-24: too many removals are held until two full listings ten seconds apart agree; additions go on")
  func valve() throws {
    let world = try RoutingWorld()
    var routes: [RouteKey: DesiredRoute?] = [:]
    for number in 0..<60 { routes[try world.key("10.66.\(number).0/26")] = try direct("172.30.1.12") }
    try world.want(DesiredChanges(routes: routes))
    for key in routes.keys { routes.updateValue(nil, forKey: key) }
    routes[try world.key("10.65.2.0/26")] = try direct("172.30.1.12")
    try world.want(DesiredChanges(routes: routes))
    #expect(world.kernel.routeTable.count == 61)
    #expect(world.condition(.deletionsHeld, "routes")?.contains("60 of 61") == true)
    try world.wait(.seconds(11))
    #expect(world.last.wantsSnapshot)
    world.reconciler.receivedEverything()
    try world.pass()
    #expect(world.kernel.routeTable.count == 1)
    #expect(world.condition(.deletionsHeld, "routes") == nil)
  }

  @Test("R-24: a listing that has the routes again ends it, and a removal asked for later counts anew")
  func valveEnds() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.1.0/26")
    try world.want(DesiredChanges(routes: [key: try blackhole("10.65.1.0/26")]))
    try world.want(DesiredChanges(routes: [key: nil]))
    #expect(world.condition(.deletionsHeld, "routes") != nil)
    try world.wait(.seconds(15))
    try world.want(DesiredChanges(routes: [key: try blackhole("10.65.1.0/26")]))
    #expect(world.condition(.deletionsHeld, "routes") == nil)
    try world.want(DesiredChanges(routes: [key: nil]))
    #expect(world.kernel.route(key) != nil)
    world.reconciler.confirmDeletions()
    try world.pass()
    #expect(world.kernel.route(key) == nil)
  }

  @Test("a change costs the same among few routes and among many")
  func constantCost() throws {
    let world = try RoutingWorld()
    var routes: [RouteKey: DesiredRoute?] = [:]
    for number in 0..<5000 {
      routes[try world.key("10.\(66 + number / 1000).\(number % 250).\(number / 250 % 4 * 64)/26")] = try direct(
        "172.30.1.12")
    }
    try world.want(DesiredChanges(routes: routes))
    world.kernel.sent = []
    world.kernel.dumps = []
    try world.change(DesiredChanges(routes: [try world.key("10.66.0.0/26"): try direct("172.30.1.13")]))
    #expect(world.kernel.sent.count == 1 && world.kernel.dumps.isEmpty)
    try world.pass()
    #expect(world.kernel.sent.count == 1 && world.last.nextWake == nil)
  }
}
