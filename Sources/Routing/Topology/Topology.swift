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
  /// Nearly every block is one node's, whole: that is kept without a table.
  private enum Owners: Hashable {
    case one(CIDR, String)
    case any([CIDR: String])

    init(_ owners: [CIDR: String]) {
      if owners.count == 1, let (destination, owner) = owners.first {
        self = .one(destination, owner)
      } else {
        self = .any(owners)
      }
    }
  }

  private var stored: Owners

  public init(owners: [CIDR: String]) { stored = Owners(owners) }

  /// A claim to one destination.
  public init(_ destination: CIDR, _ owner: String) { stored = .one(destination, owner) }

  /// The node's name by destination: the block itself if a node has it, and single addresses that others use.
  public var owners: [CIDR: String] {
    get {
      switch stored {
      case .one(let destination, let owner): [destination: owner]
      case .any(let owners): owners
      }
    }
    set { stored = Owners(newValue) }
  }

  /// The node that a destination is said to be of.
  func owner(of destination: CIDR) -> String? {
    switch stored {
    case .one(let only, let owner): only == destination ? owner : nil
    case .any(let owners): owners[destination]
    }
  }

  func forEach(_ visit: (CIDR, String) -> Void) {
    switch stored {
    case .one(let destination, let owner): visit(destination, owner)
    case .any(let owners): for (destination, owner) in owners { visit(destination, owner) }
    }
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
