import IPAddressing
import Netlink
import Testing

@testable import Routing

/// Nodes with ranges of their own (section 1.7); as in the worked example, n3 is behind a router.
@Suite("Ranges of nodes")
struct PodCIDRTests {
  private func world(_ ranges: [String: [String]], pools: Bool = false) throws -> World {
    var world = try World(vxlan: pools ? .crossSubnet : .never)
    world.configuration.mode = .podCIDRs
    if !pools { world.topology.pools = [:] }
    world.topology.claims = [:]
    for (node, ranges) in ranges { world.topology.nodes[node]?.podCIDRs = try ranges.map { try cidr($0) } }
    return world
  }

  @Test("without a pool, each range of another node on the link has a direct route, and the own one has none")
  func withoutPool() throws {
    let ranges = [
      "n1": ["10.244.1.0/24", "fd44:1::/64"], "n2": ["10.244.2.7/24", "fd44:2::/64"], "n3": ["10.244.3.0/24"],
    ]
    let computation = try world(ranges).computed()
    let routes = computation.desired.routes.map { "\($0.key.destination) \($0.value.path.words)" }
    #expect(
      routes.sorted() == [
        "10.244.2.0/24 via 172.30.1.12 dev eth0 onlink", "fd44:2::/64 via fd30:1::12 dev eth0 onlink",
      ])
    #expect(computation.condition(.offSubnet, "n3") != nil)
    #expect(computation.desired.devices.isEmpty && computation.desired.peers.isEmpty)
    #expect(computation.decision(for: try cidr("10.244.1.0/24")).reason == .ownRange)
    let decision = computation.decision(for: try cidr("10.244.2.0/24"))
    #expect(decision.claim == (try cidr("10.244.2.0/24")) && decision.pool == nil)
  }

  @Test("a pool that has the range decides how it travels")
  func withPool() throws {
    let ranges = ["n1": ["10.65.1.0/24"], "n2": ["10.65.2.0/24"], "n3": ["10.65.3.0/24", "10.244.3.0/24"]]
    let computation = try world(ranges, pools: true).computed()
    #expect(try computation.path("10.65.2.0/24")?.words == "via 172.30.1.12 dev eth0 onlink")
    #expect(try computation.path("10.65.3.0/24")?.words == "via 10.65.3.0 dev vxlan onlink")
    #expect(try computation.path("10.244.3.0/24") == nil)
    // In its own range, a tunnel address needs no route.
    #expect(try computation.path("10.65.3.0/32") == nil)
  }

  @Test("the own range is a blackhole if that is asked for, and not for a single address")
  func blackhole() throws {
    var world = try world(["n1": ["10.244.1.0/24", "10.244.9.9/32"]])
    world.configuration.podCIDRBlackhole = true
    var computation = world.computed()
    #expect(try computation.path("10.244.1.0/24") == .blackhole)
    #expect(try computation.path("10.244.9.9/32") == nil)
    // And goes with the range.
    world.topology.nodes["n1"]?.podCIDRs = [try cidr("10.244.4.0/24")]
    computation.replace(with: world.topology)
    #expect(computation.desired.routes.keys.map(\.destination) == [try cidr("10.244.4.0/24")])
  }

  @Test("ranges count only where nodes have them")
  func otherMode() throws {
    var world = try world(["n2": ["10.65.2.0/24"]], pools: true)
    world.configuration.mode = .blocks
    #expect(world.computed().desired.routes.isEmpty)
  }

  @Test(
    "a range that a new node has leads there, whether it came before or after the old node went",
    arguments: [
      [0, 1], [1, 0],
    ])
  func reuse(order: [Int]) throws {
    let world = try world(["n2": ["10.244.2.0/24"]])
    var computation = world.computed()
    var new = try #require(world.topology.nodes["n2"])
    new.v4.underlay = try cidr("172.30.1.22/24")
    computation.learn([try address("172.30.1.22"): .direct(World.parent)])
    // A name in front of the old one and one behind: the order of names has no say in the end.
    for name in ["n0", "n9"] {
      var computation = computation
      let events: [TopologyChange] = [.node("n2", nil), .node(name, new)]
      for index in order {
        computation.apply([events[index]])
        _ = computation.takeChanges()
      }
      let route = computation.desired.routes[computation.configuration.key(try cidr("10.244.2.0/24"))]
      #expect(route?.path.words == "via 172.30.1.22 dev eth0 onlink")
      #expect(route?.owner == name)
      #expect(computation.condition(.malformed, "10.244.2.0/24") == nil)
    }
  }

  @Test("a range of two nodes goes to the first by name, on all nodes but those two, and is reported")
  func collision() throws {
    let ranges = ["n2": ["10.244.2.0/24"], "n3": ["10.244.2.0/24"]]
    var world = try world(ranges)
    world.configuration.offSubnetPolicy = .onlink
    #expect(world.computed().desired.routes.values.map(\.owner) == ["n2"])
    #expect(world.computed().condition(.malformed, "10.244.2.0/24")?.contains("n3") == true)
    // The node itself goes first: its own pods are there.
    world.configuration.nodeName = "n3"
    #expect(world.computed().desired.routes.isEmpty)
    #expect(world.computed().decision(for: try cidr("10.244.2.0/24")).owner == "n3")
  }

  @Test("a range inside another node's is routed and reported, until one of them is gone")
  func nested() throws {
    let world = try world(["n2": ["10.244.2.0/24"], "n3": ["10.244.0.0/16"]])
    var computation = world.computed()
    #expect(try computation.path("10.244.2.0/24") != nil)
    #expect(computation.condition(.malformed, "10.244.2.0/24")?.contains("n3 (by 10.244.0.0/16)") == true)
    computation.apply([.node("n3", nil)])
    #expect(computation.condition(.malformed, "10.244.2.0/24") == nil)
  }

  @Test("what a node says of its own ranges goes before what is claimed for it")
  func claims() throws {
    var world = try world(["n3": ["10.244.2.0/24"]])
    world.configuration.offSubnetPolicy = .onlink
    try world.claim("10.244.2.0/24", "n2")
    try world.claim("10.244.4.0/24", "n2")
    let routes = world.computed().desired.routes
    #expect(routes[world.configuration.key(try cidr("10.244.2.0/24"))]?.owner == "n3")
    #expect(routes[world.configuration.key(try cidr("10.244.4.0/24"))]?.owner == "n2")
  }

  struct Address: Sendable {
    var ranges: [String]
    var named: String?
    var mode = RoutingConfiguration.Mode.podCIDRs
    var expected: String?
  }

  @Test(
    "the IPIP tunnel address is the one behind the network's, unless the node names another",
    arguments: [
      Address(ranges: ["fd44::/64", "10.244.1.0/24", "10.245.1.0/24"], expected: "10.244.1.1"),
      Address(ranges: ["10.244.1.0/24"], named: "10.65.1.1", expected: "10.65.1.1"),
      Address(ranges: ["10.244.1.7/32"], expected: nil),
      Address(ranges: [], expected: nil),
      Address(ranges: ["10.244.1.0/24"], mode: .blocks, expected: nil),
    ])
  func ipipAddress(_ test: Address) throws {
    var node = RoutingNode(podCIDRs: try test.ranges.map { try cidr($0) })
    node.ipipTunnelAddress = try test.named.map { try address($0) }
    #expect(node.usableIPIPAddress(test.mode)?.description == test.expected)
  }
}
