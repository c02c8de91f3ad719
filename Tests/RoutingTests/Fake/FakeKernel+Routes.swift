import IPAddressing
import Netlink
import Routing

extension FakeKernel {
  func put(_ route: Route, replaces: Bool, isOwn: Bool) -> KernelRefusal? {
    if let refusal = validate(route) { return refusal }
    var routes = routeTable[route.key] ?? []
    guard let first = routes.first else {
      routeTable[route.key] = [route]
      if !isOwn { tell(.route(route, replacesAnother: false)) }
      return nil
    }
    guard replaces else { return KernelRefusal(errno: 17) }
    if route.key.family == .v4 {
      // Identical to one behind the first: that is an error, and not success.
      if first != route, routes.dropFirst().contains(route) { return KernelRefusal(errno: 17) }
      guard first != route else { return nil }
      routes[0] = route
    } else {
      routes = [route]
    }
    routeTable[route.key] = routes
    if !isOwn { tell(.route(route, replacesAnother: true)) }
    return nil
  }

  func delete(_ route: Route, isOwn: Bool) -> KernelRefusal? {
    // An IPv4 metric of 0 is none, and matches any: the lowest first.
    let keys: [RouteKey] =
      route.key.family == .v4 && route.key.metric == 0
      ? routeTable.keys
        .filter {
          $0.destination == route.key.destination && $0.table == route.key.table
            && $0.typeOfService == route.key.typeOfService
        }
        .sorted { $0.metric < $1.metric }
      : [route.key]
    for key in keys {
      guard let position = routeTable[key]?.firstIndex(where: { isHit($0, by: route) }) else { continue }
      guard let gone = routeTable[key]?.remove(at: position) else { continue }
      if routeTable[key]?.isEmpty == true { routeTable[key] = nil }
      if !isOwn { tell(.routeGone(gone)) }
      return nil
    }
    return KernelRefusal(errno: 3)
  }

  private func isHit(_ present: Route, by route: Route) -> Bool {
    guard route.origin.rawValue == 0 || present.origin == route.origin else { return false }
    guard present.key.family == .v6 || present.kind == route.kind else { return false }
    if let id = route.nextHopID { return present.nextHopID == id }
    let hop = present.nextHopID.flatMap { objects[$0]?.hop } ?? present.hop
    if let gateway = route.hop?.gateway, hop?.gateway != gateway { return false }
    if let interface = route.hop?.interface, hop?.interface != interface, present.kind == .unicast { return false }
    return true
  }

  private func validate(_ route: Route) -> KernelRefusal? {
    if let source = route.preferredSource, !isLocal(source) {
      return KernelRefusal(errno: 22, explanation: "Invalid prefsrc address")
    }
    guard route.kind == .unicast else {
      return route.hop == nil ? nil : KernelRefusal(errno: 22)
    }
    if let id = route.nextHopID {
      guard route.hop == nil else { return KernelRefusal(errno: 22, explanation: "mutually exclusive") }
      return objects[id] == nil ? KernelRefusal(errno: 22, explanation: "Nexthop id does not exist") : nil
    }
    return validate(route.hop ?? RouteHop())
  }

  func validate(_ hop: RouteHop) -> KernelRefusal? {
    guard let interface = hop.interface, let link = linkTable[interface] else { return KernelRefusal(errno: 19) }
    guard link.isUp else { return KernelRefusal(errno: 100, explanation: "Nexthop device is not up") }
    guard let gateway = hop.gateway else { return nil }
    if hop.isOnLink { return isLocal(gateway) ? KernelRefusal(errno: 22) : nil }
    let isOnLink = addressTable.contains {
      $0.interface == interface && CIDR($0.address, prefixLength: $0.prefixLength)?.contains(gateway) == true
    }
    return isOnLink ? nil : KernelRefusal(errno: 101, explanation: "Nexthop has invalid gateway")
  }

  func isLocal(_ address: IPAddress) -> Bool { addressTable.contains { $0.address == address } }

  // MARK: What goes without a word

  /// Drops the routes of an interface. IPv4 says nothing of it.
  func flushRoutes(of interface: InterfaceIndex, _ family: AddressFamily, withObjects: Bool) {
    let ids = Set(objects.filter { $0.value.hop?.interface == interface }.keys)
    for (key, routes) in routeTable where key.family == family {
      let kept = routes.filter { route in
        if let id = route.nextHopID { return !(withObjects && ids.contains(id)) }
        return route.kind != .unicast || route.hop?.interface != interface
      }
      guard kept.count != routes.count else { continue }
      if family == .v6 { for gone in routes where !kept.contains(gone) { tell(.routeGone(gone)) } }
      routeTable[key] = kept.isEmpty ? nil : kept
    }
  }
}
