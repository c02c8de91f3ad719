import IPAddressing
import Netlink

/// What was told last of the destinations whose route has been touched since. The routes themselves are kept with the
/// destinations, once.
struct ToldRoutes: Sendable {
  private var routes: [CIDR: DesiredRoute?] = [:]
  /// Whether nothing was told yet: then all there is, is different.
  private var isUntold = true

  /// Notes that a route is another now.
  mutating func note(_ destination: CIDR, was route: DesiredRoute?) {
    guard !isUntold, routes[destination] == nil else { return }
    routes.updateValue(route, forKey: destination)
  }

  /// What is different now, and not any more once this has returned. What came back to what it was is not.
  mutating func take(
    _ destinations: DestinationIndex, key: (CIDR) -> RouteKey
  ) -> [RouteKey: DesiredRoute?] {
    var changes: [RouteKey: DesiredRoute?] = [:]
    guard !isUntold else {
      changes.reserveCapacity(destinations.tree.count)
      destinations.tree.forEach { if let route = $1.route { changes.updateValue(route, forKey: key($0)) } }
      isUntold = changes.isEmpty
      return changes
    }
    for (destination, old) in routes {
      let route = destinations.tree[destination]?.route
      if route != old { changes.updateValue(route, forKey: key(destination)) }
    }
    routes = [:]
    return changes
  }
}
