import IPAddressing
import Netlink

extension Reconciler {
  /// A full look at the kernel's tables (section 2.9).
  func lookAtEverything(at now: Moment) throws(NetlinkError) {
    lastResync = now
    resyncDue = nil
    try refreshInterfaces()
    // Those of a pass that failed may be all there is of their key by now, and wanted.
    shadows = []
    for family in [AddressFamily.v4, .v6] { try lookAtRoutes(family) }
    try lookAtNextHops()
    for family in [AddressFamily.v4, .v6] { try lookAtPeers(family) }
    if isStarted {
      statistics.resyncs += 1
      if isInSync, hasLookedForOthers { try lookForOtherAgents(isFirst: false) }
      retryEverything()
    }
    if hasLostEvents {
      // A list of our own routes does not show what was put before them.
      suspects.formUnion(actual.values.keys.filter { $0.family == .v4 })
      hasLostEvents = false
    }
    isUnsure = false
    resyncFailures = 0
    areDevicesDue = true
    areInterfacesChanged = true
    if configuration.routeRefreshInterval > 0 {
      let jitter = 0.9 + random() / 5
      resyncDue = now + .seconds(configuration.routeRefreshInterval) * jitter
    }
  }

  /// What time alone would not have helped may be well by now.
  private func retryEverything() {
    attempts = attempts.filter { $0.value.retryAt != nil }
    pending.formUnion(unfinished.keys)
    // Who has a key is asked again when it is tried.
    strangers = [:]
  }

  /// Reads our own routes of a family. What an IPv6 dump does not show may be there all the same: it is sent again, which
  /// does no harm, and not taken for gone.
  private func lookAtRoutes(_ family: AddressFamily) throws(NetlinkError) {
    let found = try kernel.routes(family, table: configuration.routeTable, origin: configuration.routeProtocol)
    var seen: Set<RouteKey> = []
    seen.reserveCapacity(found.count)
    for route in found where isOurs(route) && route.key.family == family {
      let value = RouteValue(route)
      let key = route.key
      guard seen.insert(key).inserted else {
        if family == .v4 {
          shadows.append(route)
        } else if actual[key] != value {
          forced.insert(key)
          pending.insert(key)
        }
        continue
      }
      if actual[key] != value || desired[key] == nil { pending.insert(key) }
      actual[key] = value
      // It may be back, or behind that of whoever took its place, which a list of our own routes does not show.
      if lost.remove(key), family == .v4 { suspects.insert(key) }
    }
    for (key, value) in actual.values where key.family == family && !seen.contains(key) {
      guard value.origin == configuration.routeProtocol else { continue }
      pending.insert(key)
      if family == .v6 {
        if desired[key] != nil { forced.insert(key) }
      } else {
        actual[key] = nil
        removals.remove(key)
        guard desired[key] != nil else { continue }
        lost.insert(key)
        unfinished.insert(key)
      }
    }
  }

  private func lookAtNextHops() throws(NetlinkError) {
    guard supportsNextHops else { return }
    if !plainHops.isEmpty {
      plainHops = []
      // They are tried again with an object.
      for (key, route) in desired {
        guard case .hop(let role, .some, _) = route.path, role.isTunnel else { continue }
        pending.insert(key)
      }
    }
    do throws(NetlinkError) {
      let found = try kernel.nextHops(origin: configuration.routeProtocol)
      nextHops.observe(found, role: tunnelRole)
    } catch {
      guard case .refused(let refusal) = error.code,
        [.unsupported, .senseless].contains(RefusalAnswer(refusal.errno))
      else { throw error }
      supportsNextHops = false
    }
  }

  /// Reads what a VXLAN device knows of its neighbours, if there is one.
  func lookAtPeers(_ family: AddressFamily) throws(NetlinkError) {
    guard let link = configuration.deviceName(.vxlan(family)).flatMap({ interfaces[$0] }), link.kind == "vxlan" else {
      peers[family]?.forgetDevice()
      return
    }
    do throws(NetlinkError) {
      let neighbours = try kernel.neighbours(family, of: link.index)
      let entries = try kernel.forwarding(of: link.index)
      peers[family]?.observe(
        neighbours.filter { $0.interface == link.index && $0.address.family == family },
        entries.filter { $0.interface == link.index })
    } catch {
      // It went meanwhile; its event is under way.
      guard case .refused(let refusal) = error.code, RefusalAnswer(refusal.errno) == .interfaceMissing else {
        throw error
      }
      peers[family]?.forgetDevice()
    }
  }

  /// Reads all links and addresses, and treats what is different as if it had just happened.
  func refreshInterfaces() throws(NetlinkError) {
    let links = try kernel.links()
    let addresses = try kernel.addresses()
    let present = Set(links.map(\.index))
    for index in interfaces.links.keys.filter({ !present.contains($0) }) { vanished(index) }
    for link in links { changed(link) }
    for address in addresses { added(address) }
    let current = Set(addresses)
    for address in interfaces.addresses.values.joined().filter({ !current.contains($0) }) { removed(address) }
  }

  /// Looks at the routes of other agents of clusters: those to be taken over, and those to keep clear of although their
  /// metric is another.
  ///
  /// - Parameter isFirst: before anything was programmed. A node with routes of our own has been looked at by an earlier
  ///   process.
  /// - Throws: ``NetlinkError``.
  func lookForOtherAgents(isFirst: Bool) throws(NetlinkError) {
    let isRestart = isFirst && actual.count > 0
    var origins: [RouteProtocol] = []
    if configuration.adoptsFelixRoutes || !isRestart { origins.append(.felix) }
    if configuration.adoptsBirdRoutes || !isRestart { origins.append(.bird) }
    if configuration.adoptsFelixRoutes { origins.append(.boot) }
    origins.removeAll { $0 == configuration.routeProtocol }
    // With nothing wanted there is nothing to keep clear of.
    guard !isFirst || !desired.isEmpty || actual.count > 0 else { return }
    hasLookedForOthers = true
    for destination in otherAgents.keys { pending.insert(configuration.key(destination)) }
    otherAgents = [:]
    for origin in origins {
      for family in [AddressFamily.v4, .v6] {
        for route in try kernel.routes(family, table: configuration.routeTable, origin: origin)
        where route.origin == origin {
          note(route)
        }
      }
    }
  }

  private func note(_ route: Route) {
    let key = route.key
    if isAdopted(route) {
      // A stale route that leaves by a network card may have a reason of its own; one on a tunnel has none.
      let isOnTunnel = route.hop?.interface.flatMap(tunnelRole) != nil
      guard desired[key] != nil || isOnTunnel, actual[key] == nil else { return }
      actual[key] = RouteValue(route)
      pending.insert(key)
      return
    }
    guard route.origin == .felix || route.origin == .bird else { return }
    let ours = configuration.key(key.destination)
    if desired[ours] != nil, actual[ours] == nil { pending.insert(ours) }
    otherAgents[key.destination, default: [:]][key] = route.origin
    // The same key twice: which of the two is used, only another look tells.
    if key.family == .v4, actual[key] != nil { suspects.insert(key) }
  }
}
