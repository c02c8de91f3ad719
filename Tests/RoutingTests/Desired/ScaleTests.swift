import IPAddressing
import Netlink
import Testing

@testable import Routing

/// 100,000 blocks of 5,000 nodes, twenty each. What a change costs is counted in things looked at, not in time.
@Suite("A hundred thousand destinations")
struct ScaleTests {
  static let nodes = 5_000
  static let blocksOfEach = 20

  private static func name(_ node: Int) -> String { "node-\(node)" }

  private static func node(_ number: Int) -> RoutingNode {
    var node = RoutingNode()
    node.v4.underlay = CIDR(IPAddress(v4: 0xAC10_0000 + UInt32(number) + 1), prefixLength: 12)
    node.v4.vxlanTunnelAddress = block(number * blocksOfEach).address
    return node
  }

  private static func block(_ number: Int) -> CIDR {
    let address = IPAddress(v4: 0x0A00_0000 + UInt32(number) << 6)
    return CIDR(address, prefixLength: 26) ?? CIDR(host: address)
  }

  private static func topology() throws -> Topology {
    var topology = Topology()
    topology.pools["all"] = RoutingPool(try cidr("10.0.0.0/8"), vxlan: .crossSubnet)
    topology.pools["other"] = RoutingPool(try cidr("11.0.0.0/8"), vxlan: .always)
    for number in 0..<nodes {
      topology.nodes[name(number)] = node(number)
      for index in 0..<blocksOfEach {
        let block = block(number * blocksOfEach + index)
        topology.claims[block] = Claim(owners: [block: name(number)])
      }
    }
    return topology
  }

  // One test, because it takes longer to build the computation than to change it.
  @Test("a change costs what depends on it, and not what there is")
  func work() throws {
    let topology = try Self.topology()
    var computation = RouteComputation(RoutingConfiguration(nodeName: Self.name(0)))
    let own = try #require(Self.node(0).v4.underlay)
    let parent = LocalNetwork.Parent(index: InterfaceIndex(2), name: "eth0", mtu: 1500, address: own)
    computation.update(LocalNetwork(v4: .init(parent: parent)))
    computation.replace(with: topology)
    #expect(computation.takeChanges().routes.count == Self.nodes * Self.blocksOfEach)
    var before = computation.work
    func cost() -> Int {
      defer { before = computation.work }
      return computation.work - before
    }
    let (name, block) = (Self.name(77), Self.block(77 * Self.blocksOfEach))
    // A listing without news.
    computation.replace(with: topology)
    #expect(cost() == 0 && computation.takeChanges().isEmpty)
    // An answer of the kernel: the node's blocks, and its tunnel address, which is no destination of its own.
    #expect(computation.unansweredLookups.count == Self.nodes - 1)
    let address = try #require(Self.node(77).v4.underlay?.address)
    computation.learn([address: .direct(InterfaceIndex(2))])
    #expect(cost() == Self.blocksOfEach + 1)
    #expect(computation.takeChanges().routes.count == Self.blocksOfEach)
    #expect(computation.unansweredLookups.count == Self.nodes - 2)
    // A block that moves to another node: itself, and the tunnel address that is in it.
    computation.apply([.claim(block, Claim(owners: [block: Self.name(78)]))])
    #expect(cost() == 2)
    #expect(computation.takeChanges().routes.count == 2)
    computation.apply([.claim(block, Claim(owners: [block: name]))])
    #expect(cost() == 2)
    // An address that is borrowed from it.
    computation.apply([.claim(block, Claim(owners: [block: name, CIDR(host: block.last): Self.name(78)]))])
    #expect(cost() == 1)
    computation.apply([.claim(block, Claim(owners: [block: name]))])
    #expect(cost() == 1)
    // A node: its blocks, its tunnel addresses, itself, and what its address may be or be in.
    var node = Self.node(77)
    node.v4.vxlanTunnelAddress = try cidr("10.255.0.1/32").address
    for changed in [node, nil, Self.node(77)] {
      computation.apply([.node(name, changed)])
      #expect((Self.blocksOfEach...Self.blocksOfEach + 4).contains(cost()))
    }
    // A pool without blocks; a pod with an address that is in no one's way; a router that is in no block.
    computation.apply([.pool("other", nil)])
    #expect(cost() == 1)
    computation.update(workloads: [CIDR(host: block.last)])
    var local = computation.local
    local.v4.defaultGateways = [try cidr("172.31.0.1/32").address]
    computation.update(local)
    #expect(cost() == 0)
    #expect(computation.desired.routes.count == Self.nodes * Self.blocksOfEach)
  }
}
