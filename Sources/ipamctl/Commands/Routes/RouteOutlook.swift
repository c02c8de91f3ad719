import IPAddressing
import Netlink
import Routing

/// What a node that is not this machine should have, as far as the datastore tells.
enum RouteOutlook {
  /// Computes the routes as if the node's own addresses were on an interface of its own, and the nodes of its subnets on
  /// the link of that.
  static func of(_ topology: Topology, _ configuration: RoutingConfiguration) -> RouteComputation {
    var computation = RouteComputation(configuration)
    computation.replace(with: topology)
    guard let node = topology.nodes[configuration.nodeName] else { return computation }
    var network = LocalNetwork()
    for family in [AddressFamily.v4, .v6] {
      guard let underlay = node[family].underlay else { continue }
      network[family].parent = LocalNetwork.Parent(
        index: Self.interface, name: "", mtu: Self.mtu, address: underlay)
    }
    computation.update(network)
    // What is asked for depends on what is known.
    for _ in 0..<4 where !computation.unansweredLookups.isEmpty {
      computation.learn(
        Dictionary(uniqueKeysWithValues: computation.unansweredLookups.map { ($0, reachability($0, node)) }))
    }
    return computation
  }

  /// No interface has this number.
  private static let interface = InterfaceIndex(0)
  /// That of Ethernet, in bytes. No route depends on it.
  private static let mtu: UInt32 = 1500

  private static func reachability(_ address: IPAddress, _ node: RoutingNode) -> Reachability {
    guard let own = node[address.family].underlay else { return .unreachable }
    return own.canonical.contains(address) ? .direct(interface) : .unreachable
  }
}
