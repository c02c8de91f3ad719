import IPAddressing

extension RoutingPool {
  /// What a pool's encapsulation comes to (routes specification, section 1.2).
  enum Classification: Hashable, Sendable {
    /// Routes, of this class.
    case routed(RoutingConfiguration.RouteClass)
    /// No routes: no node answers for addresses of load balancers.
    case loadBalancers
    /// No routes: IPIP carries IPv4 only, and bare packets are not what was asked for.
    case ipipOverIPv6
  }

  var classification: Classification {
    if isForLoadBalancersOnly { return .loadBalancers }
    if vxlan != .never { return .routed(.vxlan) }
    if ipip == .never { return .routed(.unencapsulated) }
    return cidr.address.family == .v4 ? .routed(.ipip) : .ipipOverIPv6
  }

  /// The class of the pool's routes; nil when it has none.
  public var routeClass: RoutingConfiguration.RouteClass? {
    guard case .routed(let routeClass) = classification else { return nil }
    return routeClass
  }

  /// Whether packets are wrapped only where nodes are on different subnets.
  public var isCrossSubnet: Bool { vxlan == .crossSubnet || ipip == .crossSubnet }
}
