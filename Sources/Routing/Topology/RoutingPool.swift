public import IPAddressing

/// What routing needs to know of a pool (routes specification, section 1.2).
public struct RoutingPool: Hashable, Sendable {
  /// When packets between nodes are wrapped.
  public enum Encapsulation: String, Hashable, Sendable {
    case never = "Never"
    case always = "Always"
    case crossSubnet = "CrossSubnet"
  }

  public var cidr: CIDR
  public var vxlan: Encapsulation
  public var ipip: Encapsulation
  /// Whether addresses are for load balancers alone, which no node answers for.
  public var isForLoadBalancersOnly: Bool

  public init(
    _ cidr: CIDR,
    vxlan: Encapsulation = .never,
    ipip: Encapsulation = .never,
    isForLoadBalancersOnly: Bool = false
  ) {
    self.cidr = cidr
    self.vxlan = vxlan
    self.ipip = ipip
    self.isForLoadBalancersOnly = isForLoadBalancersOnly
  }
}
