import IPAddressing
public import Netlink

/// One destination, as it should be and as it is.
public struct PlannedRoute: Hashable, Sendable {
  public enum State: String, Hashable, Sendable, CaseIterable {
    /// As it should be.
    case present
    /// Not there.
    case missing
    /// There, and otherwise than it should be.
    case different
    /// There, and not to be.
    case stale
    /// Left to somebody else, who has it.
    case held
  }

  public var key: RouteKey
  public var state: State
  /// What should be there; nil for a stale route.
  public var desired: DesiredRoute?
  /// The route that would be sent; nil while its interface is missing or down, too.
  public var wanted: Route?
  /// What is there: ours, or that of whoever holds the destination.
  public var actual: Route?
  /// The name of the interface that packets should leave by, or do.
  public var interface: String?
  /// Who holds the destination, in words.
  public var holder: String?
}

/// What a node should have and has, and why.
public struct NodePlan: Hashable, Sendable {
  public var routes: [PlannedRoute]
  /// What became of every destination, those without a route included.
  public var decisions: [RouteDecision]
  /// What stands in the way.
  public var conditions: [Condition.Subject: Condition]
}

extension Reconciler {
  /// Compares what is wanted with what the kernel has, all of it, and changes nothing.
  public func plan() throws(NetlinkError) -> [PlannedRoute] {
    try refreshInterfaces()
    try updateRoles(at: lastResync ?? .now)
    var found: [RouteKey: [Route]] = [:]
    var others: [CIDR: Route] = [:]
    for family in [AddressFamily.v4, .v6] {
      for route in try kernel.routes(family, table: configuration.routeTable, origin: nil) {
        found[route.key, default: []].append(route)
        if route.origin == .felix || route.origin == .bird, !isOurs(route), !isAdopted(route) {
          others[route.key.destination] = route
        }
      }
    }
    var plan = desired.map { key, route in
      planned(key, route, found[key] ?? [], other: others[key.destination])
    }
    for (key, routes) in found where desired[key] == nil {
      guard let stale = routes.first(where: isOurs) else { continue }
      plan.append(
        PlannedRoute(key: key, state: .stale, actual: stale, interface: stale.hop?.interface.flatMap(name)))
    }
    return plan.sorted { $0.key < $1.key }
  }

  private func name(_ index: InterfaceIndex) -> String? { interfaces[index]?.name }

  private func planned(_ key: RouteKey, _ route: DesiredRoute, _ found: [Route], other: Route?) -> PlannedRoute {
    let value = value(route, key.family)
    var planned = PlannedRoute(key: key, state: .missing, desired: route, wanted: value?.route(key))
    if case .hop(let role, _, _) = route.path {
      planned.interface = roleStates[role].flatMap { name($0.index) } ?? configuration.deviceName(role)
    }
    if let first = found.first, isOurs(first) {
      planned.actual = first
      planned.state = value.map { RouteValue(first).isSame(as: $0, through: nextHops) } == true ? .present : .different
    } else if let first = found.first, isAdopted(first) || found.contains(where: isOurs) {
      planned.actual = first
      planned.state = .different
    } else if let holder = found.first ?? other {
      planned.actual = holder
      planned.holder = holder.origin.agentName
      planned.state = .held
    }
    return planned
  }
}

extension RouteValue {
  /// Whether packets go the same way, be it through an object or not: which of the two is used is decided as routes are
  /// programmed.
  fileprivate func isSame(as other: RouteValue, through objects: NextHopTable) -> Bool {
    resolved(objects) == other.resolved(objects)
  }

  private func resolved(_ objects: NextHopTable) -> RouteValue {
    guard let id = nextHopID, let hop = objects.present[id] else { return self }
    var value = self
    value.nextHopID = nil
    value.gateway = hop.gateway
    value.interface = hop.interface
    value.isOnLink = hop.isOnLink
    return value
  }
}
