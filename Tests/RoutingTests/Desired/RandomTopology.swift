import IPAddressing
import Netlink
import TestSupport

@testable import Routing

/// Random worlds that are small, so that things collide: pools in pools, nodes with each other's addresses, blocks inside
/// of blocks and claims for what is not theirs.
struct RandomTopology {
  var generator: SeededGenerator
  var topology = Topology()
  var local = LocalNetwork()
  var workloads: Set<CIDR> = []
  static let names = ["n1", "n2", "n3", "n4", "virtual:lb"]

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

  mutating func name() -> String { Self.names.randomElement(using: &generator) ?? "n1" }

  mutating func address(_ family: AddressFamily, in net: UInt128? = nil) -> IPAddress {
    // Pods' addresses mostly, sometimes those of nodes, and each from a handful.
    let isPods = net == nil ? chance(70) : net == 10
    let low = UInt128.random(in: 0..<3, using: &generator) << 6 | UInt128.random(in: 0..<4, using: &generator)
    let number = (isPods ? 0x0A41_0000 : 0xAC1E_0100) | low
    let wide = (isPods ? UInt128(0xFD65) : UInt128(0xFD30)) << 112 | low
    return IPAddress(family, number: family == .v4 ? number : wide) ?? IPAddress(v4: 0)
  }

  mutating func family() -> AddressFamily { chance(60) ? .v4 : .v6 }

  mutating func prefix(_ lengths: [Int], _ family: AddressFamily) -> CIDR {
    let host = lengths.randomElement(using: &generator) ?? 0
    let address = address(family)
    return CIDR(address, prefixLength: family.bitWidth - host)?.canonical ?? CIDR(host: address)
  }

  mutating func pool() -> RoutingPool {
    let family = family()
    let modes: [RoutingPool.Encapsulation] = [.never, .always, .crossSubnet]
    return RoutingPool(
      prefix([16, 16, 16, 7, 8], family), vxlan: modes.randomElement(using: &generator) ?? .never,
      ipip: modes.randomElement(using: &generator) ?? .never, isForLoadBalancersOnly: chance(10))
  }

  mutating func node() -> RoutingNode {
    var node = RoutingNode()
    for family in [AddressFamily.v4, .v6] {
      if chance(80) {
        let length = family.bitWidth - ([0, 8, 6].randomElement(using: &generator) ?? 0)
        node[family].underlay = CIDR(address(family, in: 172), prefixLength: length)
      }
      if chance(70) { node[family].vxlanTunnelAddress = address(family) }
      if chance(20) {
        node[family].vxlanHardwareAddress = HardwareAddress(octets: [chance(80) ? 2 : 1, 0, 0, 0, 0, 1])
      }
    }
    if chance(50) { node.ipipTunnelAddress = address(family()) }
    if chance(30) { node.otherAddresses = [address(family())] }
    if chance(70) { node.podCIDRs = [prefix([6, 6, 8, 0], .v4), prefix([6], .v6)] }
    return node
  }

  mutating func claim(_ block: CIDR) -> Claim {
    var claim = Claim(owners: [:])
    if chance(80) { claim.owners[block] = name() }
    for _ in 0..<3 where chance(40) { claim.owners[CIDR(host: address(block.address.family))] = name() }
    if chance(5) { claim.owners[prefix([2, 8], block.address.family)] = name() }
    return claim
  }

  /// One thing that is different, in the topology and as told.
  mutating func change() -> TopologyChange {
    switch Int.random(in: 0..<10, using: &generator) {
    case 0...1:
      let name = ["a", "b", "c"].randomElement(using: &generator) ?? "a"
      let pool = chance(75) ? pool() : nil
      topology.pools[name] = pool
      return .pool(name, pool)
    case 2...5:
      let name = name()
      let node = chance(80) ? node() : nil
      topology.nodes[name] = node
      return .node(name, node)
    default:
      let block = prefix([6, 6, 6, 5, 8, 0], family())
      let claim = chance(70) ? claim(block) : nil
      topology.claims[block] = claim
      return .claim(block, claim)
    }
  }

  /// The local network, a little different.
  mutating func changeLocal() {
    for family in [AddressFamily.v4, .v6] {
      if chance(30) {
        let index = InterfaceIndex(UInt32.random(in: 2...3, using: &generator))
        let found = CIDR(address(family, in: 172), prefixLength: family.bitWidth - 8)
        local[family].parent = found.map { .init(index: index, name: "eth0", mtu: 1500, address: $0) }
      }
      if chance(10) { local[family].parent = nil }
      if chance(30) { local[family].defaultGateways = chance(50) ? [] : [address(family, in: 172)] }
    }
    for (address, answer) in answers() { local.reachability[address] = answer }
    if chance(20) { local.reachability = [:] }
  }

  mutating func answers() -> [IPAddress: Reachability] {
    var answers: [IPAddress: Reachability] = [:]
    for _ in 0..<3 {
      let router = address(.v4, in: 172)
      let possible: [Reachability] = [
        .direct(InterfaceIndex(2)), .direct(InterfaceIndex(2)), .direct(InterfaceIndex(3)), .local, .unreachable,
        .viaRouter(router, InterfaceIndex(2)), .viaRouter(router, InterfaceIndex(3)),
      ]
      answers[address(family(), in: 172)] = possible.randomElement(using: &generator)
    }
    return answers
  }

  mutating func changeWorkloads() {
    workloads = chance(30) ? [] : [CIDR(host: address(family(), in: 10)), CIDR(host: address(.v4, in: 10))]
  }

  mutating func configuration() -> RoutingConfiguration {
    var configuration = RoutingConfiguration(nodeName: "n1")
    configuration.mode = chance(60) ? .blocks : .podCIDRs
    configuration.offSubnetPolicy =
      RoutingConfiguration.OffSubnetPolicy.allCases.randomElement(using: &generator) ?? .skip
    configuration.poolCatchAll = chance(50)
    configuration.podCIDRBlackhole = chance(50)
    if chance(20) { configuration.classes = [.vxlan, .unencapsulated] }
    return configuration
  }
}
