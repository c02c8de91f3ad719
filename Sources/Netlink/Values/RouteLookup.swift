/// Where a packet to an address would go now.
public enum RouteLookup: Hashable, Sendable {
  /// Out of an interface, to a gateway or directly.
  case hop(RouteHop)
  /// To this machine itself.
  case local
  /// Nowhere, for this reason.
  case unreachable(errno: Int32)
}
