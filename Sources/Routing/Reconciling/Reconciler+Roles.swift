import IPAddressing
import Netlink

extension Reconciler {
  /// The interface with this node's own address of a family.
  func parent(_ family: AddressFamily) -> Link? {
    underlays[family].flatMap { interfaces.interface(with: $0) }?.link
  }

  /// Finds out which interface each role means now, and has the routes of those that changed looked at.
  func updateRoles(at now: Moment) throws(NetlinkError) {
    guard areInterfacesChanged else { return }
    areInterfacesChanged = false
    let tunnels: Set<InterfaceRole> = [.ipip, .vxlan(.v4), .vxlan(.v6)]
    var states: [InterfaceRole: RoleState] = [:]
    for role in tunnels.union(rolesInUse.keys) { states[role] = state(of: role) }
    let changed = Set(states.keys).union(roleStates.keys).filter { states[$0] != roleStates[$0] }
    for family in [AddressFamily.v4, .v6] {
      let role = InterfaceRole.vxlan(family)
      if states[role]?.index != roleStates[role]?.index, roleStates[role] != nil || !isKnown(family) {
        roleStates[role] = states[role]
        try lookAtPeers(family)
      }
    }
    roleStates = states
    let watched = Set([states[.vxlan(.v4)], states[.vxlan(.v6)]].compactMap { $0?.index })
    if watched != watchedInterfaces {
      try kernel.watchNeighbours(of: watched)
      watchedInterfaces = watched
    }
    guard !changed.isEmpty else { return }
    for (key, route) in desired {
      guard case .hop(let role, _, _) = route.path, changed.contains(role) else { continue }
      pending.insert(key)
      // What failed on the old interface says nothing about the new one.
      attempts[key] = nil
    }
  }

  /// Whether the neighbours of the device were read when it was looked at first.
  private func isKnown(_ family: AddressFamily) -> Bool {
    guard let name = configuration.deviceName(.vxlan(family)), let link = interfaces[name] else { return true }
    return !madeDevices.contains(link.index)
  }

  private func state(of role: InterfaceRole) -> RoleState? {
    let link: Link? =
      switch role {
      case .parent(let family): parent(family)
      case .interface(let index): interfaces[index]
      case .ipip, .vxlan: configuration.deviceName(role).flatMap { interfaces[$0] }
      }
    guard let link else { return nil }
    return RoleState(index: link.index, isUp: link.isUp, mtu: role.isTunnel ? link.mtu : nil)
  }

  /// What the kernel should have; nil while the interface is not there or down.
  func value(_ route: DesiredRoute, _ family: AddressFamily) -> RouteValue? {
    let origin = configuration.routeProtocol
    switch route.path {
    case .blackhole: return RouteValue(kind: .blackhole, origin: origin)
    case .unreachable: return RouteValue(kind: .unreachable, origin: origin)
    case .hop(let role, let gateway, let isOnLink):
      guard let state = roleStates[role], state.isUp else { return nil }
      var value = RouteValue(
        kind: .unicast, origin: origin, gateway: gateway, interface: state.index, isOnLink: isOnLink, mtu: state.mtu,
        preferredSource: family == .v4 ? configuration.sourceAddressV4 : configuration.sourceAddressV6)
      guard usesNextHops, role.isTunnel, let gateway else { return value }
      let hop = TunnelHop(role: role, gateway: gateway)
      guard !plainHops.contains(hop), let id = nextHops.id(for: hop) else { return value }
      value.nextHopID = id
      value.gateway = nil
      value.interface = nil
      value.isOnLink = false
      return value
    }
  }

  /// Decides whether routes go through nexthop objects: only on tunnel devices, and only when there are many nodes. Between
  /// the two thresholds it stays as it is, so that a node more or less does not move every route.
  func chooseNextHops() {
    let wanted =
      switch configuration.nextHopObjects {
      case .on: supportsNextHops
      case .off: false
      case .automatic:
        supportsNextHops
          && (tunnelHops.count > 256 || tunnelHops.count > 128 && (usesNextHops || !nextHops.present.isEmpty))
      }
    guard wanted != usesNextHops else { return }
    usesNextHops = wanted
    if !wanted { nextHops.releaseAll() }
    for (key, route) in desired {
      guard case .hop(let role, .some, _) = route.path, role.isTunnel else { continue }
      pending.insert(key)
    }
  }
}
