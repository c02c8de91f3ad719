import IPAddressing
import Testing

@testable import Routing

@Suite("Pools and their classes (section 1.2)")
struct PoolClassTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var pool = "10.65.0.0/16"
    var vxlan = RoutingPool.Encapsulation.never
    var ipip = RoutingPool.Encapsulation.never
    var isForLoadBalancersOnly = false
    var routeClass: RoutingConfiguration.RouteClass?
    var isCrossSubnet = false

    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "load balancers only", vxlan: .always, isForLoadBalancersOnly: true),
    Case(name: "VXLAN always", vxlan: .always, routeClass: .vxlan),
    Case(name: "VXLAN across subnets", vxlan: .crossSubnet, routeClass: .vxlan, isCrossSubnet: true),
    Case(name: "VXLAN before IPIP", vxlan: .always, ipip: .always, routeClass: .vxlan),
    Case(name: "IPIP always", ipip: .always, routeClass: .ipip),
    Case(name: "IPIP across subnets", ipip: .crossSubnet, routeClass: .ipip, isCrossSubnet: true),
    Case(name: "neither", routeClass: .unencapsulated),
    Case(name: "IPv6 with VXLAN", pool: "fd65::/16", vxlan: .always, routeClass: .vxlan),
    Case(name: "IPv6 with neither", pool: "fd65::/16", routeClass: .unencapsulated),
    Case(name: "IPv6 with IPIP, which it cannot have", pool: "fd65::/16", ipip: .always),
  ]

  @Test("the first condition that holds decides the class", arguments: cases)
  func routeClass(of test: Case) throws {
    let pool = RoutingPool(
      try cidr(test.pool), vxlan: test.vxlan, ipip: test.ipip, isForLoadBalancersOnly: test.isForLoadBalancersOnly)
    #expect(pool.routeClass == test.routeClass)
    #expect(pool.isCrossSubnet == test.isCrossSubnet)
  }

  @Test("a pool for load balancers has no routes, not even blackholes, and needs no device")
  func loadBalancers() throws {
    var world = try World(vxlan: .always)
    world.topology.pools["four"]?.isForLoadBalancersOnly = true
    world.topology.pools["six"] = nil
    let computation = world.computed()
    #expect(computation.desired == DesiredNetwork())
    #expect(computation.decision(for: try cidr("10.65.1.0/26")).reason == .loadBalancers)
  }

  @Test("a destination in no pool has no route, not even a blackhole")
  func noPool() throws {
    var world = try World()
    world.topology.pools = [:]
    let computation = world.computed()
    #expect(computation.desired == DesiredNetwork())
    #expect(computation.decision(for: try cidr("10.65.2.0/26")).reason == .noPool)
    // A pool inside of the destination does not have all of it.
    world.topology.pools["small"] = RoutingPool(try cidr("10.65.2.0/27"))
    #expect(world.computed().desired.routes.isEmpty)
  }

  @Test("an IPv6 pool with IPIP has no routes and is reported")
  func ipipOverIPv6() throws {
    var world = try World()
    world.topology.pools["six"]?.ipip = .always
    let computation = world.computed()
    #expect(try computation.path("fd65:1::/122") == nil)
    #expect(computation.decision(for: try cidr("fd65:2::/122")).reason == .ipipOverIPv6)
    #expect(computation.condition(.malformed, "pool six")?.contains("IPIP") == true)
  }

  @Test("of pools that overlap the smallest counts, of equal ones the first by name, and the others are reported")
  func overlap() throws {
    var world = try World()
    world.topology.pools["inner"] = RoutingPool(try cidr("10.65.2.0/24"), ipip: .always)
    world.topology.pools["jnner"] = RoutingPool(try cidr("10.65.2.0/24"))
    let computation = world.computed()
    #expect(try computation.path("10.65.2.0/26")?.words == "via 172.30.1.12 dev tunl0 onlink")
    #expect(computation.decision(for: try cidr("10.65.2.0/26")).pool == "inner")
    #expect(computation.condition(.malformed, "pool inner")?.contains("lies in pool four") == true)
    #expect(computation.condition(.malformed, "pool jnner")?.contains("pool inner") == true)
    #expect(computation.condition(.malformed, "pool four") == nil)
  }

  @Test(
    "classes that are left to others have no routes, devices or peers",
    arguments: RoutingConfiguration.RouteClass.allCases)
  func classes(without left: RoutingConfiguration.RouteClass) throws {
    var world = try World()
    world.configuration.classes.remove(left)
    world.topology.pools = [
      "vxlan": RoutingPool(try cidr("10.65.0.0/16"), vxlan: .always),
      "ipip": RoutingPool(try cidr("10.66.0.0/16"), ipip: .always),
      "bare": RoutingPool(try cidr("10.67.0.0/16")),
    ]
    let blocks: [RoutingConfiguration.RouteClass: [String]] = [
      .vxlan: ["10.65.1.0/26", "10.65.2.0/26"], .ipip: ["10.66.1.0/26", "10.66.2.0/26"],
      .unencapsulated: ["10.67.1.0/26", "10.67.2.0/26"],
    ]
    for pair in blocks.values { for (block, node) in zip(pair, ["n1", "n2"]) { try world.claim(block, node) } }
    let computation = world.computed()
    for (routeClass, pair) in blocks {
      for block in pair {
        #expect(try (computation.path(block) == nil) == (routeClass == left))
        let reason = computation.decision(for: try cidr(block)).reason
        #expect((reason == .classNotProgrammed) == (routeClass == left))
      }
    }
    #expect((computation.desired.devices[.ipip] == nil) == (left == .ipip))
    #expect((computation.desired.devices[.vxlan(.v4)] == nil) == (left == .vxlan))
    #expect(computation.desired.peers.isEmpty == (left == .vxlan))
  }
}
