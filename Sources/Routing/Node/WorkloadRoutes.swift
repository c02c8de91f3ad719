import IPAddressing
import Netlink

/// The routes of this node's pods, which somebody else programs: a remote route to the same address would win over them
/// (routes specification, R-8).
struct WorkloadRoutes: Sendable {
  private let prefixes: [String]
  private var byInterface: [InterfaceIndex: Set<RouteKey>] = [:]

  init(_ prefixes: [String]) {
    self.prefixes = prefixes
  }

  /// The addresses that pods have routes for.
  var destinations: Set<CIDR> { Set(byInterface.values.joined().map(\.destination)) }

  /// Takes everything over anew.
  mutating func replace(with routes: some Sequence<Route>, interfaces: InterfaceTable) {
    byInterface = [:]
    for route in routes { _ = add(route, interfaces: interfaces) }
  }

  /// Takes an event over; whether anything is different.
  mutating func receive(_ event: KernelEvent, interfaces: InterfaceTable) -> Bool {
    switch event {
    case .route(let route, let replacesAnother):
      let isGone = replacesAnother && remove(route.key)
      return add(route, interfaces: interfaces) || isGone
    case .routeGone(let route): return route.isExact && remove(route.key)
    // With its interface an IPv4 route goes without a word.
    case .linkGone(let link): return byInterface.removeValue(forKey: link.index) != nil
    case .link(let link) where !link.isUp: return byInterface.removeValue(forKey: link.index) != nil
    default: return false
    }
  }

  private mutating func add(_ route: Route, interfaces: InterfaceTable) -> Bool {
    guard route.isExact, route.kind == .unicast, let index = route.hop?.interface, let name = interfaces[index]?.name,
      prefixes.contains(where: name.hasPrefix)
    else { return false }
    return byInterface[index, default: []].insert(route.key).inserted
  }

  private mutating func remove(_ key: RouteKey) -> Bool {
    for index in byInterface.keys where byInterface[index]?.remove(key) != nil { return true }
    return false
  }
}

extension Route {
  fileprivate var isExact: Bool { key.destination.hostBits == 0 }
}
