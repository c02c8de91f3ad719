public import IPAddressing

/// Everything that routes are computed from, but for what this machine's own links say.
public struct Topology: Hashable, Sendable {
  /// The pools, by name.
  public var pools: [String: RoutingPool]
  /// The nodes, by name.
  public var nodes: [String: RoutingNode]
  /// Which nodes have which addresses, by what says so: a block, or a node's own range.
  public var claims: [CIDR: Claim]

  public init(
    pools: [String: RoutingPool] = [:], nodes: [String: RoutingNode] = [:], claims: [CIDR: Claim] = [:]
  ) {
    self.pools = pools
    self.nodes = nodes
    self.claims = claims
  }
}

/// What one block says: to which node packets for which prefixes go (routes specification, section 1.3).
///
/// A claim is replaced as a whole, so that a block that moves and the addresses borrowed from it change together.
public struct Claim: Hashable, Sendable {
  /// The node's name by destination: the block itself if a node has it, and single addresses that others use.
  public var owners: [CIDR: String]

  public init(owners: [CIDR: String]) {
    self.owners = owners
  }
}

/// One thing that is different now.
public enum TopologyChange: Hashable, Sendable {
  /// A pool; nil when it is gone.
  case pool(String, RoutingPool?)
  /// A node; nil when it is gone.
  case node(String, RoutingNode?)
  /// What a block, or whatever else has this prefix, says; nil when it is gone.
  case claim(CIDR, Claim?)
}
