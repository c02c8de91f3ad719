import IPAddressing
import Netlink
import Testing

@testable import Routing

@Suite("Catch-alls of pools")
struct PoolCatchAllTests {
  private func key(_ text: String) throws -> RouteKey { RouteKey(try cidr(text), metric: 2_147_483_646) }

  @Test("R-5: if asked for, what is in a pool and nowhere else is refused, behind any other route")
  func catchAll() throws {
    var world = try World(vxlan: .always)
    #expect(world.computed().desired.routes[try key("10.65.0.0/16")] == nil)
    world.configuration.poolCatchAll = true
    var computation = world.computed()
    let expected = DesiredRoute(.unreachable, owner: "", claim: try cidr("10.65.0.0/16"))
    #expect(computation.desired.routes[try key("10.65.0.0/16")] == expected)
    #expect(computation.desired.routes[try key("fd65::/16")] != nil)
    _ = computation.takeChanges()
    computation.apply([.pool("four", nil)])
    #expect(computation.takeChanges().routes[try key("10.65.0.0/16")] == .some(nil))
  }

  @Test("R-5: a pool that has no routes has no catch-all, nor one whose class is left to others")
  func without() throws {
    var world = try World(vxlan: .always)
    world.configuration.poolCatchAll = true
    world.topology.pools["four"]?.isForLoadBalancersOnly = true
    world.topology.pools["six"]?.vxlan = .never
    world.configuration.classes = [.vxlan]
    #expect(world.computed().desired.routes.values.allSatisfy { $0.path != .unreachable })
  }

  @Test("R-5: a catch-all never cuts nodes or the default router off")
  func guarded() throws {
    var world = try World()
    world.configuration.poolCatchAll = true
    world.topology.pools["wide"] = RoutingPool(try cidr("172.30.0.0/16"))
    var computation = world.computed()
    #expect(computation.desired.routes[try key("172.30.0.0/16")] == nil)
    #expect(computation.condition(.guarded, "172.30.0.0/16") != nil)
    computation.apply([.node("n1", nil), .node("n2", nil), .node("n3", nil)])
    #expect(computation.condition(.guarded, "172.30.0.0/16")?.contains("default router 172.30.1.1") == true)
    world.local.v4.defaultGateways = []
    computation.update(world.local)
    #expect(computation.desired.routes[try key("172.30.0.0/16")] != nil)
    #expect(computation.condition(.guarded, "172.30.0.0/16") == nil)
  }

  @Test("R-5: a metric that is configured for all routes is not theirs as well")
  func metric() throws {
    var world = try World(vxlan: .always)
    world.configuration.poolCatchAll = true
    world.configuration.routeMetricV4 = 2_147_483_646
    try world.claim("10.65.0.0/16", "n2")
    let computation = world.computed()
    #expect(computation.desired.routes[try key("10.65.0.0/16")]?.owner == "n2")
    #expect(computation.desired.routes[try key("fd65::/16")]?.path == .unreachable)
  }
}
