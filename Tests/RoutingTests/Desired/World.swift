import IPAddressing
import Netlink
import Testing

@testable import Routing

/// The worked example of the routes specification (section 1.10), to which tests add what they are about: three nodes,
/// n3 behind a router, seen from n1.
struct World {
  static let parent = InterfaceIndex(2)
  var configuration = RoutingConfiguration(nodeName: "n1")
  var topology = Topology()
  var local = LocalNetwork()
  var workloads: Set<CIDR> = []

  /// The modes are those of both pools, and IPIP's of the IPv4 pool alone.
  init(vxlan: RoutingPool.Encapsulation = .never, ipip: RoutingPool.Encapsulation = .never) throws {
    topology.pools["four"] = RoutingPool(try cidr("10.65.0.0/16"), vxlan: vxlan, ipip: ipip)
    topology.pools["six"] = RoutingPool(try cidr("fd65::/16"), vxlan: vxlan)
    for (name, v4, v6, number) in [
      ("n1", "172.30.1.11/24", "fd30:1::11/64", 1), ("n2", "172.30.1.12/24", "fd30:1::12/64", 2),
      ("n3", "172.30.2.13/24", "fd30:2::13/64", 3),
    ] {
      topology.nodes[name] = RoutingNode(
        v4: .init(underlay: try cidr(v4), vxlanTunnelAddress: try address("10.65.\(number).0")),
        v6: .init(underlay: try cidr(v6), vxlanTunnelAddress: try address("fd65:\(number)::")),
        ipipTunnelAddress: try address("10.65.\(number).1"))
      try claim("10.65.\(number).0/26", name)
      try claim("fd65:\(number)::/122", name)
    }
    let (v4, v6) = (try address("172.30.1.1"), try address("fd30:1::1"))
    local.v4 = .init(
      parent: .init(index: Self.parent, name: "eth0", mtu: 1500, address: try cidr("172.30.1.11/24")),
      defaultGateways: [v4])
    local.v6 = .init(
      parent: .init(index: Self.parent, name: "eth0", mtu: 1500, address: try cidr("fd30:1::11/64")),
      defaultGateways: [v6])
    local.reachability = [
      try address("172.30.1.12"): .direct(Self.parent), try address("fd30:1::12"): .direct(Self.parent),
      try address("172.30.2.13"): .viaRouter(v4, Self.parent), try address("fd30:2::13"): .viaRouter(v6, Self.parent),
    ]
  }

  /// Gives a block, and addresses in it, to nodes.
  mutating func claim(_ block: String, _ host: String?, _ borrowed: [String: String] = [:]) throws {
    let allocations = try borrowed.map { Claims.Allocation(try address($0), node: $1) }
    topology.claims[try cidr(block)] = Claims.block(try cidr(block), host: host, allocations: allocations).claim
  }

  /// The computation with all of it.
  func computed() -> RouteComputation {
    var computation = RouteComputation(configuration)
    computation.update(local)
    computation.update(workloads: workloads)
    computation.replace(with: topology)
    return computation
  }
}

func cidr(_ text: String) throws -> CIDR { try #require(CIDR(text)) }

func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

extension RouteComputation {
  /// The path of the route to a destination; nil for none.
  func path(_ destination: String) throws -> DesiredRoute.Path? {
    desired.routes[configuration.key(try cidr(destination))]?.path
  }

  /// The condition of a subject; nil for none.
  func condition(_ kind: Condition.Kind, _ name: String) -> String? {
    desired.conditions[.init(kind, name)]?.message
  }
}

extension DesiredRoute.Path {
  /// A route in the words of `ip route`, so that tables of cases can be read.
  var words: String {
    switch self {
    case .blackhole: return "blackhole"
    case .unreachable: return "unreachable"
    case .hop(let role, let gateway, let isOnLink):
      let device =
        switch role {
        case .parent: "eth0"
        case .ipip: "tunl0"
        case .vxlan(.v4): "vxlan"
        case .vxlan(.v6): "vxlan-v6"
        case .interface(let index): "if\(index)"
        }
      let gateway = gateway.map { "via \($0) " } ?? ""
      return gateway + "dev \(device)" + (isOnLink ? " onlink" : "")
    }
  }
}
