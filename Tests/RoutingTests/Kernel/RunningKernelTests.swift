import IPAddressing
import Netlink
import TestSupport
import Testing

@testable import Routing

/// The routing of a node on the running kernel: what the fake one of the other tests stands for.
@Suite(
  "Routing on the running kernel", .serialized,
  .enabled(if: NetworkNamespace.isPossible, "needs the rights of root, to make network namespaces"))
struct RunningKernelTests {
  /// Nodes on this node's link, whose blocks have direct routes.
  private static let near = 200
  /// Nodes behind a router, whose blocks are reached through the tunnel: enough for nexthop objects.
  private static let far = 300

  private static func topology() throws -> Topology {
    var topology = Topology()
    topology.pools["pool"] = RoutingPool(try cidr("10.64.0.0/14"), vxlan: .crossSubnet)
    for number in 0...(near + far) {
      // This node is 172.30.1.11; those behind the router are in 172.30.4.0/22.
      let underlay: UInt32 = number <= near ? 0xAC1E_010B + UInt32(number) : 0xAC1E_0400 + UInt32(number)
      let block = IPAddress(v4: 0x0A41_0000 + UInt32(number) << 6)
      let (name, prefix) = ("n\(number)", try #require(CIDR(block, prefixLength: 26)))
      var node = RoutingNode()
      node.v4.underlay = CIDR(IPAddress(v4: underlay), prefixLength: 24)
      node.v4.vxlanTunnelAddress = block
      topology.nodes[name] = node
      topology.claims[prefix] = Claim(prefix, name)
    }
    return topology
  }

  /// An agent as it is after its start.
  private final class Agent {
    let kernel: NetlinkKernel
    let routing: NodeRouting<NetlinkKernel>
    private var now = Moment.now

    init() throws {
      kernel = try NetlinkKernel(timeout: 5)
      routing = NodeRouting(RoutingConfiguration(nodeName: "n0"), kernel: kernel)
      routing.receive(.snapshot(try topology()), at: now)
    }

    /// Passes until all is as it should be, on a clock that does not wait.
    func settle() throws {
      for _ in 0..<100 {
        now += .milliseconds(20)
        let report = routing.pass(at: now)
        if report.changes == 0, routing.status.isInSync, routing.status.v4.present == near + far + 1 { return }
      }
      throw SetupFailure("\(routing.status)", 0)
    }

    func cleanup() throws -> CleanupReport { try routing.cleanup(at: now) }

    func ownRoutes() throws -> Set<Route> { Set(try kernel.routes(.v4, table: 254, origin: .agent)) }
  }

  /// Gives the namespace the network of a node, and a route of somebody else.
  private func makeNetwork() throws {
    try NetworkNamespace.execute(
      """
      ip link set lo up
      ip link add eth0 type veth peer name peer
      ip link set eth0 addrgenmode none
      ip link set peer addrgenmode none
      ip link set eth0 up
      ip link set peer up
      ip address add 172.30.1.11/24 dev eth0
      ip route add default via 172.30.1.1
      ip route add 10.65.255.0/26 via 172.30.1.1 proto bird
      """)
  }

  @Test("a first sync makes every route and no other, and a restart sends no message about routes")
  func syncAndRestart() throws {
    try NetworkNamespace.run {
      try makeNetwork()
      let first = try Agent()
      try first.settle()
      let routes = try first.ownRoutes()
      #expect(routes.count == Self.near + Self.far + 1)
      #expect(routes.count { $0.kind == .blackhole } == 1)
      #expect(first.kernel.statistics.routeMessages == routes.count)
      let eth0 = try first.kernel.links().first { $0.name == "eth0" }
      let direct = routes.filter { $0.kind == .unicast && $0.nextHopID == nil && $0.hop?.interface == eth0?.index }
      #expect(direct.count == Self.near)
      #expect(direct.contains { $0.hop?.gateway == IPAddress(v4: 0xAC1E_010C) && $0.hop?.isOnLink == true })
      let again = try Agent()
      try again.settle()
      #expect(again.kernel.statistics.routeMessages == 0)
      #expect(try again.ownRoutes() == routes)
    }
  }

  @Test("routes that somebody removes are made again, and nothing else is sent")
  func strangersDeletions() throws {
    try NetworkNamespace.run {
      try makeNetwork()
      let agent = try Agent()
      try agent.settle()
      let routes = try agent.ownRoutes()
      let sent = agent.kernel.statistics.routeMessages
      // This node's block, one that is on the link, and one behind the tunnel.
      for number in [0, 1, Self.near + 1] {
        let block = IPAddress(v4: 0x0A41_0000 + UInt32(number) << 6)
        try NetworkNamespace.execute("ip route del \(block)/26")
      }
      #expect(try agent.ownRoutes().count == routes.count - 3)
      _ = agent.routing.pass(at: .now)
      try agent.settle()
      #expect(try agent.ownRoutes() == routes)
      #expect(agent.kernel.statistics.routeMessages == sent + 3)
    }
  }

  @Test("cleanup removes exactly what is ours")
  func cleanup() throws {
    try NetworkNamespace.run {
      try makeNetwork()
      func found() throws -> [String] {
        let links = try NetlinkKernel(timeout: 5).links().map(\.name).sorted()
        return links + [try NetworkNamespace.output("ip route"), try NetworkNamespace.output("ip nexthop")]
      }
      let before = try found()
      let agent = try Agent()
      try agent.settle()
      #expect(try found() != before)
      let report = try agent.cleanup()
      #expect(report.left.isEmpty)
      #expect(report.routes.count == Self.near + Self.far + 1)
      #expect(try found() == before)
    }
  }
}
