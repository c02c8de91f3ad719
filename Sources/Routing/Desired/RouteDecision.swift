public import IPAddressing

/// What becomes of one destination on this node, and why.
public struct RouteDecision: Hashable, Sendable {
  public var destination: CIDR
  /// The node that has the destination; nil when nothing says that any has.
  public var owner: String?
  /// The block or range that says so.
  public var claim: CIDR?
  /// Other nodes that something names as well, by what names them. They have no say.
  public var contradictions: [Contradiction]
  /// The name of the pool that the destination is in.
  public var pool: String?
  /// How packets of the pool travel; nil when its addresses have no routes.
  public var routeClass: RoutingConfiguration.RouteClass?
  /// Whether they do so only between subnets.
  public var isCrossSubnet: Bool
  public var reason: Reason
  /// The route; nil for none.
  public var route: DesiredRoute?

  /// Another node that is named for a destination.
  public struct Contradiction: Hashable, Sendable {
    public var owner: String
    /// The block or range; nil when the node itself says so of its tunnel address.
    public var claim: CIDR?

    public init(owner: String, claim: CIDR?) {
      self.owner = owner
      self.claim = claim
    }
  }

  /// Which rule decided.
  public enum Reason: Hashable, Sendable {
    // No route, as it should be.

    /// No block, range or tunnel address is there.
    case unclaimed
    case noPool
    /// The pool is for load balancers only.
    case loadBalancers
    /// The pool wants IPIP for IPv6.
    case ipipOverIPv6
    /// Routes of the class are left to another program.
    case classNotProgrammed
    /// A single address of this node: a pod's own route leads there.
    case ownAddress
    /// A range of this node, which needs no route.
    case ownRange
    /// What the block belongs to is no node.
    case virtualOwner

    // No route, because something stands in the way.

    case unknownNode
    /// The node has no address of the family that could be sent to.
    case noUnderlay
    /// The node has this node's own address.
    case ownUnderlay(IPAddress)
    /// The destination is a node's own address.
    case hostAddress(of: String)
    /// The destination has a node's address or a default router in it, whose packets would go astray; no node's name
    /// for a router.
    case covers(IPAddress, of: String?)
    /// A pod of this node has the address.
    case localWorkload
    /// Something is missing that makes the other end of the tunnel, in words.
    case noTunnelEnd(String)
    /// The node is not on the link, and packets are not to be wrapped.
    case offSubnet(Distance)

    // A route.

    /// A block of this node.
    case ownBlock
    /// The node is on the link.
    case direct
    /// Taken to be on the link, by configuration.
    case assumedOnLink
    /// Through the router that leads to the node, by configuration.
    case viaRouter
    /// Through the tunnel, which the pool always wants.
    case tunnelAlways
    /// Through the tunnel, because the node is not on the link.
    case tunnelAcross(Distance)
  }

  init(
    _ destination: CIDR,
    owner: String? = nil,
    claim: CIDR? = nil,
    contradictions: [Contradiction] = [],
    reason: Reason = .unclaimed
  ) {
    self.destination = destination
    self.owner = owner
    self.claim = claim
    self.contradictions = contradictions
    self.reason = reason
    isCrossSubnet = false
  }
}
