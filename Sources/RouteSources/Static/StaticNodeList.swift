import IPAddressing
public import JSON
import Netlink
public import Routing

/// Why a list of nodes cannot be used.
public struct StaticNodeListError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where in the document, what was found, and what belongs there.
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// Nodes and pools that an operator has written down: the source of routes where there is no datastore.
///
/// Each range of a node's pods is its node's. Without a pool that contains it, packets to a range are not wrapped.
public struct StaticNodeList: Hashable, Sendable {
  /// Everything that routes are computed from.
  public let topology: Topology

  /// Reads a list.
  ///
  /// - Parameters:
  ///   - document: `{"nodes": [{"name", "addresses", "podCIDRs", …}], "pools": [{"name", "cidr", …}]}`. A key that is
  ///     unknown is an error: it may be a slip in the writing of one that matters.
  ///   - mode: what routes are computed from. Where that is the nodes' ranges, they are not told as claims as well.
  /// - Throws: ``StaticNodeListError`` for the first thing that is wrong.
  public init(_ document: JSON, mode: RoutingConfiguration.Mode = .blocks) throws(StaticNodeListError) {
    let root = try StaticObject(document, "the list of nodes", keys: ["nodes", "pools"])
    var nodes: [String: RoutingNode] = [:]
    var claims: [CIDR: Claim] = [:]
    for (index, element) in try root.array("nodes").enumerated() {
      let object = try StaticObject(element, "nodes[\(index)]", keys: Self.nodeKeys)
      let name = try object.name()
      if nodes[name] != nil { throw StaticNodeListError("\(object.place): there is another node \"\(name)\"") }
      let node = try Self.node(object)
      for range in node.podCIDRs {
        if let other = claims[range]?.owners[range] {
          throw StaticNodeListError("\(object.place).podCIDRs: \(range) is node \"\(other)\"'s already")
        }
        claims[range] = Claim(owners: [range: name])
      }
      nodes[name] = node
    }
    var pools: [String: RoutingPool] = [:]
    for (index, element) in try root.array("pools").enumerated() {
      let object = try StaticObject(element, "pools[\(index)]", keys: ["name", "cidr", "vxlanMode", "ipipMode"])
      let name = try object.name()
      if pools[name] != nil { throw StaticNodeListError("\(object.place): there is another pool \"\(name)\"") }
      guard let cidr = try object.value("cidr", "a network such as 10.65.0.0/16", { CIDR($0) }) else {
        throw StaticNodeListError("\(object.place).cidr is missing")
      }
      let (vxlan, ipip) = (try object.mode("vxlanMode"), try object.mode("ipipMode"))
      if vxlan != .never, ipip != .never {
        throw StaticNodeListError("\(object.place): vxlanMode and ipipMode cannot both be set")
      }
      pools[name] = RoutingPool(cidr.canonical, vxlan: vxlan, ipip: ipip)
    }
    topology = Topology(pools: pools, nodes: nodes, claims: mode == .blocks ? claims : [:])
  }

  private static let nodeKeys = [
    "name", "addresses", "podCIDRs", "vxlanTunnelAddress", "vxlanTunnelAddressV6", "vxlanHardwareAddress",
    "vxlanHardwareAddressV6", "ipipTunnelAddress",
  ]

  private static func node(_ object: StaticObject) throws(StaticNodeListError) -> RoutingNode {
    let hardware = "a hardware address such as 66:93:7f:54:d5:53"
    var node = RoutingNode()
    for (index, text) in try object.texts("addresses").enumerated() {
      guard let address = CIDR(text) ?? IPAddress(text).map({ CIDR(host: $0) }) else {
        throw StaticNodeListError(
          "\(object.place).addresses[\(index)] is \"\(text)\", not an address such as 172.30.1.11/24")
      }
      // The first one of a family is the one that other nodes send to.
      let family = address.address.family
      if node[family].underlay == nil {
        node[family].underlay = address
      } else {
        node.otherAddresses.append(address.address)
      }
    }
    for (index, text) in try object.texts("podCIDRs").enumerated() {
      guard let range = CIDR(text), !range.hasHostBits else {
        throw StaticNodeListError(
          "\(object.place).podCIDRs[\(index)] is \"\(text)\", not a network such as 10.1.0.0/24")
      }
      node.podCIDRs.append(range)
    }
    node.v4.vxlanTunnelAddress = try object.address("vxlanTunnelAddress", .v4)
    node.v6.vxlanTunnelAddress = try object.address("vxlanTunnelAddressV6", .v6)
    node.v4.vxlanHardwareAddress = try object.value("vxlanHardwareAddress", hardware) { HardwareAddress($0) }
    node.v6.vxlanHardwareAddress = try object.value("vxlanHardwareAddressV6", hardware) { HardwareAddress($0) }
    node.ipipTunnelAddress = try object.address("ipipTunnelAddress", .v4)
    return node
  }
}
