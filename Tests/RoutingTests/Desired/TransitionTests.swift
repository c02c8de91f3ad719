import IPAddressing
import Netlink
import Testing

@testable import Routing

/// What is told when something happens: keys that stay are never told as gone in between (section 1.4, pool state effects).
@Suite("What is told of a change")
struct TransitionTests {
  private func changes(
    _ world: World, _ change: (inout World) throws -> Void
  ) throws -> (before: RouteComputation, changes: [String: String]) {
    var computation = world.computed()
    _ = computation.takeChanges()
    let before = computation
    var changed = world
    try change(&changed)
    computation.replace(with: changed.topology)
    computation.update(changed.local)
    var words: [String: String] = [:]
    for (key, route) in computation.takeChanges().routes {
      words["\(key.destination)"] = route.map(\.path.words) ?? "gone"
    }
    return (before, words)
  }

  @Test("nothing is told twice, nor what came back to what it was")
  func once() throws {
    let world = try World(vxlan: .always)
    var computation = world.computed()
    let first = computation.takeChanges()
    var network = DesiredNetwork()
    network.apply(first)
    #expect(network == computation.desired && !first.isEmpty)
    #expect(computation.takeChanges().isEmpty)
    computation.apply([.node("n2", nil)])
    computation.apply([.node("n2", world.topology.nodes["n2"])])
    #expect(computation.takeChanges().isEmpty)
    computation.replace(with: world.topology)
    computation.update(world.local)
    #expect(computation.takeChanges().isEmpty)
  }

  @Test("a pool's change of mode is the same keys with other next hops")
  func mode() throws {
    let change = try changes(try World(vxlan: .always)) { $0.topology.pools["four"]?.vxlan = .crossSubnet }
    #expect(change.changes == ["10.65.2.0/26": "via 172.30.1.12 dev eth0 onlink"])
    let ipip = try changes(try World(vxlan: .always)) {
      $0.topology.pools["four"]?.vxlan = .never
      $0.topology.pools["four"]?.ipip = .always
    }
    #expect(
      ipip.changes == [
        "10.65.2.0/26": "via 172.30.1.12 dev tunl0 onlink", "10.65.3.0/26": "via 172.30.2.13 dev tunl0 onlink",
      ])
  }

  @Test("a pool that is deleted takes all routes of its blocks along, blackholes included")
  func poolGone() throws {
    let change = try changes(try World(vxlan: .always)) { $0.topology.pools["four"] = nil }
    #expect(change.changes == ["10.65.1.0/26": "gone", "10.65.2.0/26": "gone", "10.65.3.0/26": "gone"])
  }

  @Test("a block that moves is a replaced route, here and there")
  func blockMoves() throws {
    let away = try changes(try World(vxlan: .always)) { try $0.claim("10.65.1.0/26", "n3") }
    #expect(away.changes == ["10.65.1.0/26": "via 10.65.3.0 dev vxlan onlink"])
    let here = try changes(try World(vxlan: .always)) { try $0.claim("10.65.3.0/26", "n1") }
    // The tunnel address of n3 is in a block of this node's now.
    #expect(here.changes == ["10.65.3.0/26": "blackhole", "10.65.3.0/32": "dev vxlan"])
  }

  @Test("a block that no node has any more leaves a route for each address in use")
  func blockWithoutNode() throws {
    let change = try changes(try World(vxlan: .always)) {
      try $0.claim("10.65.2.0/26", nil, ["10.65.2.5": "n2", "10.65.2.6": "n1"])
    }
    // n2's tunnel address as well: the block's route led there.
    #expect(
      change.changes == [
        "10.65.2.0/26": "gone", "10.65.2.5/32": "via 10.65.2.0 dev vxlan onlink", "10.65.2.0/32": "dev vxlan",
      ])
  }

  @Test("a node that is deleted takes its routes and its ends of tunnels along, and no others")
  func nodeGone() throws {
    var computation = try World(vxlan: .always).computed()
    _ = computation.takeChanges()
    computation.apply([.node("n3", nil)])
    let changes = computation.takeChanges()
    #expect(Set(changes.routes.keys.map(\.destination)) == [try cidr("10.65.3.0/26"), try cidr("fd65:3::/122")])
    #expect(changes.routes.values.allSatisfy { $0 == nil })
    #expect(Set(changes.peers.keys) == [.init(node: "n3", family: .v4), .init(node: "n3", family: .v6)])
  }

  @Test("a node with a new address is a replaced next hop and a moved peer")
  func nodeMoves() throws {
    var world = try World(ipip: .always)
    world.topology.pools["six"] = nil
    let ipip = try changes(world) { $0.topology.nodes["n3"]?.v4.underlay = try cidr("172.30.2.33/24") }
    #expect(ipip.changes == ["10.65.3.0/26": "via 172.30.2.33 dev tunl0 onlink"])
    var computation = try World(vxlan: .always).computed()
    _ = computation.takeChanges()
    var moved = try #require(world.topology.nodes["n3"])
    moved.v4.underlay = try cidr("172.30.2.33/24")
    computation.apply([.node("n3", moved)])
    let changes = computation.takeChanges()
    #expect(changes.routes.isEmpty)
    #expect(changes.peers[.init(node: "n3", family: .v4)]??.underlay == (try address("172.30.2.33")))
  }

  @Test("a new tunnel address of a node is a replaced gateway of all its routes")
  func tunnelAddressMoves() throws {
    let change = try changes(try World(vxlan: .always)) {
      $0.topology.nodes["n3"]?.v4.vxlanTunnelAddress = try address("10.65.3.60")
    }
    #expect(change.changes == ["10.65.3.0/26": "via 10.65.3.60 dev vxlan onlink"])
  }

  @Test("an answer of the kernel changes the routes of that node alone")
  func answer() throws {
    let change = try changes(try World(vxlan: .crossSubnet)) {
      $0.local.reachability[try address("172.30.1.12")] = .viaRouter(try address("172.30.1.1"), World.parent)
    }
    #expect(change.changes == ["10.65.2.0/26": "via 10.65.2.0 dev vxlan onlink"])
  }

  @Test("decisions say in words whose a destination is, by what, in which pool, and why it goes where it goes")
  func words() throws {
    var world = try World(vxlan: .crossSubnet)
    try world.claim("10.65.1.0/26", "n1", ["10.65.1.9": "n3"])
    let computation = world.computed()
    #expect(
      computation.decision(for: try cidr("10.65.1.9/32")).description == """
        10.65.1.9/32 is n3's by 10.65.1.0/26, in pool four (VXLAN across subnets): through the tunnel, because n3 is not in \
        this node's subnet 172.30.1.0/24
        """)
    #expect(
      computation.decision(for: try cidr("10.99.0.0/26")).description
        == "10.99.0.0/26 is no node's: no block, range or tunnel address says whose it is, so there is no route")
    let decided = computation.decisions
    #expect(
      decided.map(\.destination.description) == [
        "10.65.1.0/26", "10.65.1.9/32", "10.65.2.0/26", "10.65.3.0/26", "fd65:1::/122", "fd65:2::/122", "fd65:3::/122",
      ])
    #expect(decided.compactMap(\.route).count == computation.desired.routes.count)
  }
}
