import IPAddressing
import Netlink
import Testing

@testable import Routing

/// What is done about refusals and failures (routes specification, sections 2.8 and 2.9).
@Suite("Refusals")
struct RefusalTests {
  /// A world where the route to 10.65.2.0/26 is refused with an error, and the one to 10.65.4.0/26 is not.
  private func refusing(_ errno: Int32, _ explanation: String? = nil) throws -> (RoutingWorld, RouteKey) {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    world.kernel.refuse = { change in
      switch change {
      case .addRoute(let route) where route.key == key, .replaceRoute(let route) where route.key == key:
        KernelRefusal(errno: errno, explanation: explanation)
      default: nil
      }
    }
    try world.want(
      DesiredChanges(routes: [
        key: try direct("172.30.1.12"), try world.key("10.65.4.0/26"): try direct("172.30.1.13"),
      ]))
    return (world, key)
  }

  @Test("R-25: one refused route does not keep others, and is tried again with growing pauses", arguments: [12, 105])
  func exhausted(errno: Int32) throws {
    let (world, key) = try refusing(errno)
    #expect(try world.route("10.65.4.0/26") != nil)
    #expect(world.condition(.refused, "10.65.2.0/26") != nil)
    #expect(world.reconciler.counts(.v4).failed == 1)
    var attempts: [Duration] = []
    let start = world.now
    while let wake = world.last.nextWake, wake < start + .seconds(200) {
      world.now = wake
      let before = world.kernel.sent.count
      try world.pass()
      if world.kernel.sent.count > before { attempts.append(wake - start) }
      #expect(world.last.conditions.isEmpty, "the same refusal is told once")
    }
    #expect((8...11).contains(attempts.count), "\(attempts)")
    world.kernel.refuse = { _ in nil }
    try world.wait(.seconds(70))
    #expect(world.kernel.route(key) != nil)
    #expect(world.condition(.refused, "10.65.2.0/26") == nil)
  }

  @Test("EINVAL: not tried again until the value changes, and told with the kernel's words")
  func senseless() throws {
    let (world, key) = try refusing(22, "Invalid prefix for given prefix length")
    #expect(world.condition(.refused, "10.65.2.0/26")?.contains("Invalid prefix for given prefix length") == true)
    #expect(world.last.nextWake == nil)
    world.kernel.refuse = { _ in nil }
    try world.change(DesiredChanges(routes: [key: try direct("172.30.1.13")]))
    #expect(world.kernel.route(key) != nil)
    #expect(world.condition(.refused, "10.65.2.0/26") == nil)
  }

  @Test(
    "ENETUNREACH and EHOSTUNREACH: told as off the subnet, tried again when addresses change", arguments: [101, 113])
  func offLink(errno: Int32) throws {
    let (world, key) = try refusing(errno)
    #expect(world.condition(.offSubnet, "10.65.2.0/26")?.contains("172.30.1.12") == true)
    #expect(world.last.nextWake == nil)
    world.kernel.refuse = { _ in nil }
    world.kernel.stranger(
      .addAddress(InterfaceAddress(interface: RoutingWorld.eth0, address: try ip("172.30.9.9"), prefixLength: 24)))
    try world.pass()
    #expect(world.kernel.route(key) != nil)
  }

  @Test("ENETDOWN and ENODEV: nothing to tell, tried again when the link changes", arguments: [100, 19])
  func missingInterface(errno: Int32) throws {
    let (world, key) = try refusing(errno)
    #expect(world.reconciler.conditions.isEmpty && world.last.nextWake == nil)
    world.kernel.refuse = { _ in nil }
    world.kernel.stranger(.changeLink(RoutingWorld.eth0, LinkChange(isUp: false)))
    try world.pass()
    world.kernel.stranger(.changeLink(RoutingWorld.eth0, LinkChange(isUp: true)))
    try world.pass()
    #expect(world.kernel.route(key) != nil)
  }

  @Test("EPERM: the capability is named once, and nothing is tried for thirty seconds")
  func forbidden() throws {
    let world = try RoutingWorld()
    world.kernel.refuse = { _ in KernelRefusal(errno: 1) }
    try world.want(DesiredChanges(routes: [try world.key("10.65.2.0/26"): try direct("172.30.1.12")]))
    #expect(world.condition(.notPermitted, "CAP_NET_ADMIN")?.contains("CAP_NET_ADMIN") == true)
    #expect(world.last.nextWake == world.now + .seconds(30))
    world.kernel.refuse = { _ in nil }
    try world.wait(.seconds(31))
    #expect(try world.route("10.65.2.0/26") != nil)
    #expect(world.reconciler.conditions.isEmpty)
  }

  @Test("EEXIST on a replacement: ours behind somebody else's is removed exactly, then the key is retaken")
  func shadowed() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    try world.want(DesiredChanges(routes: [key: try direct("172.30.1.12")]))
    let ours = try #require(world.kernel.route(key))
    world.kernel.strangerInserts(Route(key, kind: .unreachable, origin: .static), first: true)
    world.kernel.queue = []
    world.kernel.sent = []
    // The process takes it for gone, and sends it again.
    world.reconciler.receive([.routeGone(ours)], at: world.now)
    try world.pass()
    #expect(world.kernel.routeTable[key] == [ours])
    #expect(world.kernel.sent == [.replaceRoute(ours), .deleteRoute(ours), .replaceRoute(ours)])
  }

  @Test("ESRCH on a removal: gone or somebody else's, and dropped either way")
  func gone() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    try world.want(DesiredChanges(routes: [key: try direct("172.30.1.12")]))
    world.kernel.routeTable[key] = nil
    try world.change(DesiredChanges(routes: [key: nil]))
    #expect(world.reconciler.actual.count == 0 && world.reconciler.conditions.isEmpty && world.last.nextWake == nil)
  }

  @Test("an exchange that fails leaves nobody sure: everything is read before anything is changed", arguments: [0, 1])
  func failure(after: Int) throws {
    let world = try RoutingWorld()
    world.kernel.failure = (after, NetlinkError(.overflow, "change routes"))
    try world.want(
      DesiredChanges(routes: [
        try world.key("10.65.2.0/26"): try direct("172.30.1.12"),
        try world.key("10.65.4.0/26"): try direct("172.30.1.13"),
      ]))
    #expect(world.reconciler.isUnsure && world.condition(.refused, "netlink") != nil)
    let sent = world.kernel.sent.count
    try world.wait(.seconds(6))
    #expect(world.kernel.routeTable.count == 2 && world.kernel.sent.count == sent + 2 - after)
    #expect(world.reconciler.conditions.isEmpty)
  }

  @Test("lost events: one full look, however often, at most one in five seconds")
  func overflow() throws {
    let world = try RoutingWorld()
    let key = try world.key("10.65.2.0/26")
    try world.want(DesiredChanges(routes: [key: try direct("172.30.1.12")]))
    world.now += .seconds(60)
    world.kernel.routeTable[key] = nil
    world.kernel.overflow()
    try world.pass()
    #expect(world.kernel.route(key) != nil && world.reconciler.statistics.resyncs == 1)
    for _ in 0..<10 {
      world.kernel.overflow()
      try world.pass()
    }
    #expect(world.reconciler.statistics.resyncs == 1)
    try world.wait(.seconds(20))
    #expect(world.reconciler.statistics.resyncs == 2)
  }

  @Test("a full look comes every 90 seconds, give or take a tenth, and finds what no event told")
  func periodic() throws {
    let world = try RoutingWorld { $0.routeRefreshInterval = 90 }
    let key = try world.key("10.65.2.0/26")
    try world.want(DesiredChanges(routes: [key: try direct("172.30.1.12")]))
    world.kernel.routeTable[key] = nil
    try world.wait(.seconds(80))
    #expect(world.kernel.route(key) == nil)
    try world.wait(.seconds(20))
    #expect(world.kernel.route(key) != nil)
  }

  @Test("R-28: nexthop objects are used for many nodes behind a tunnel, and few more or less change nothing")
  func nextHops() throws {
    let world = try RoutingWorld()
    func routes(_ numbers: Range<Int>, _ wanted: Bool) throws -> [RouteKey: DesiredRoute?] {
      var routes: [RouteKey: DesiredRoute?] = [:]
      for number in numbers {
        let prefix = "10.\(70 + number / 200).\(number % 200).0"
        routes.updateValue(wanted ? try vxlan(prefix) : nil, forKey: try world.key("\(prefix)/26"))
      }
      return routes
    }
    try world.want(DesiredChanges(routes: try routes(0..<256, true), devices: [.vxlan(.v4): try vxlanDevice()]))
    #expect(world.kernel.objects.isEmpty)
    try world.change(DesiredChanges(routes: try routes(256..<260, true)))
    #expect(world.kernel.objects.count == 260)
    #expect(world.kernel.routeTable.values.allSatisfy { $0.first?.nextHopID != nil })
    try world.change(DesiredChanges(routes: try routes(200..<260, false)))
    #expect(world.kernel.objects.count == 200)
    let wanted = DesiredChanges(routes: try routes(0..<200, true), devices: [.vxlan(.v4): try vxlanDevice()])
    try world.restart()
    try world.want(wanted)
    #expect(world.kernel.sent.isEmpty, "R-14: objects with our protocol keep their numbers over a restart")
    world.reconciler.confirmDeletions()
    try world.change(DesiredChanges(routes: try routes(120..<200, false)))
    world.reconciler.confirmDeletions()
    try world.settle()
    #expect(world.kernel.objects.isEmpty && world.kernel.routeTable.count == 120)
  }

  @Test("R-28: without nexthop objects in the kernel routes are plain")
  func noNextHops() throws {
    let world = try RoutingWorld { $0.nextHopObjects = .on }
    world.kernel.refuse = { if case .replaceNextHop = $0 { KernelRefusal(errno: 95) } else { nil } }
    try world.want(
      DesiredChanges(
        routes: [try world.key("10.65.3.0/26"): try vxlan("10.65.3.0")], devices: [.vxlan(.v4): try vxlanDevice()]))
    #expect(try world.route("10.65.3.0/26")?.hop?.gateway == ip("10.65.3.0"))
  }
}
