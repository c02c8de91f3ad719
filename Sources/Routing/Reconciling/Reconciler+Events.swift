import IPAddressing
public import Netlink

extension Reconciler {
  /// Takes over what happened in the kernel. Nothing is changed there before the next pass.
  public func receive(_ events: [KernelEvent], at now: Moment) {
    statistics.events += UInt64(events.count)
    for event in events {
      switch event {
      case .route(let route, let replacesAnother): appeared(route, replacesAnother: replacesAnother, at: now)
      case .routeGone(let route): vanished(route, at: now)
      case .link(let link): changed(link)
      case .linkGone(let link): vanished(link.index)
      case .address(let address): added(address)
      case .addressGone(let address): removed(address)
      case .neighbour(let neighbour): observe(neighbour, isThere: true)
      case .neighbourGone(let neighbour): observe(neighbour, isThere: false)
      case .nextHop(let object):
        guard object.origin == configuration.routeProtocol else { break }
        nextHops.observe(object, role: tunnelRole)
      case .nextHopGone(let object): forgetNextHops([object.id])
      case .overflow:
        statistics.overflows += 1
        hasLostEvents = true
        requestResync(at: now)
      }
    }
  }

  /// Takes over what happened up to now, in the middle of a pass.
  func takeEvents(at now: Moment) throws(NetlinkError) {
    if let eventReader { return try eventReader(now) }
    receive(try kernel.events(), at: now)
  }

  // MARK: Routes

  func isOurs(_ route: Route) -> Bool { route.origin == configuration.routeProtocol }

  /// Whether another agent's route is taken over.
  func isAdopted(_ route: Route) -> Bool {
    switch route.origin {
    case .felix: configuration.adoptsFelixRoutes
    case .boot: configuration.adoptsFelixRoutes && isVXLAN(route.hop?.interface)
    case .bird: configuration.adoptsBirdRoutes
    default: false
    }
  }

  private func isVXLAN(_ index: InterfaceIndex?) -> Bool {
    guard case .vxlan = index.flatMap(tunnelRole) else { return false }
    return true
  }

  /// The role of a tunnel device.
  func tunnelRole(_ index: InterfaceIndex) -> InterfaceRole? {
    guard let name = interfaces[index]?.name else { return nil }
    return [InterfaceRole.ipip, .vxlan(.v4), .vxlan(.v6)].first { configuration.deviceName($0) == name }
  }

  private func appeared(_ route: Route, replacesAnother: Bool, at now: Moment) {
    let key = route.key
    guard key.table == configuration.routeTable else { return }
    if isOurs(route) {
      takeOver(route, replacesAnother: replacesAnother, at: now)
    } else {
      noteStranger(route)
      guard desired[key] != nil || actual[key] != nil else { return }
      pending.insert(key)
      if replacesAnother || actual[key] == nil {
        let wasOurs = actual[key]?.origin == configuration.routeProtocol
        actual[key] = isAdopted(route) && desired[key] != nil ? RouteValue(route) : nil
        strangers[key] = desired[key] == nil || isAdopted(route) ? nil : route.origin
        guard wasOurs, desired[key] != nil else { return }
        lost.insert(key)
        disturbed(key, by: route.origin, at: now)
      } else {
        // Before ours or behind it: only another look tells.
        suspects.insert(key)
      }
    }
  }

  /// A route with our protocol that this process did not make.
  private func takeOver(_ route: Route, replacesAnother: Bool, at now: Moment) {
    let key = route.key
    let value = RouteValue(route)
    let old = actual[key]
    pending.insert(key)
    if let old, old != value, !replacesAnother, key.family == .v4 {
      suspects.insert(key)
      return
    }
    actual[key] = value
    strangers[key] = nil
    lost.remove(key)
    if desired[key] != nil, let old, old != value { disturbed(key, by: route.origin, at: now) }
  }

  private func vanished(_ route: Route, at now: Moment) {
    let key = route.key
    guard key.table == configuration.routeTable else { return }
    if !isOurs(route) {
      forgetStranger(route)
    }
    guard let old = actual[key], old.origin == route.origin else { return }
    let value = RouteValue(route)
    guard !old.isMultipath, old.gateway == value.gateway, old.interface == value.interface, old.kind == value.kind
    else {
      // One of several is gone.
      suspects.insert(key)
      pending.insert(key)
      return
    }
    actual[key] = nil
    guard desired[key] != nil else {
      removals.remove(key)
      return
    }
    lost.insert(key)
    pending.insert(key)
    // What the kernel removes with its interface is nobody's doing.
    let isKernels = old.interface.map { interfaces[$0]?.isUp != true } ?? false
    if !isKernels { disturbed(key, by: nil, at: now) }
  }

  private func noteStranger(_ route: Route) {
    guard route.origin == .felix || route.origin == .bird, !isAdopted(route) else { return }
    let ours = configuration.key(route.key.destination)
    guard desired[ours] != nil, actual[ours] == nil, !lost.contains(ours) else { return }
    otherAgents[route.key.destination, default: [:]][route.key] = route.origin
  }

  private func forgetStranger(_ route: Route) {
    let key = route.key
    if strangers[key] != nil {
      strangers[key] = nil
      pending.insert(key)
    }
    guard otherAgents[key.destination]?.removeValue(forKey: key) != nil else { return }
    if otherAgents[key.destination]?.isEmpty == true { otherAgents[key.destination] = nil }
    pending.insert(configuration.key(key.destination))
  }

  /// Notes that somebody else removed or replaced a route of ours. The first times it is repaired at once; two programs
  /// that fight over a route must not wear the kernel out.
  func disturbed(_ key: RouteKey, by other: RouteProtocol?, at now: Moment) {
    statistics.disturbances += 1
    guard disturbances[key, default: Disturbance()].note(at: now) else { return }
    let who = other.map { "\($0.agentName) takes" } ?? "somebody removes"
    raise(
      .foreign, key,
      "\(who) the route to \(key.destination) again and again; it is retaken with growing pauses: let one program alone "
        + "have it")
  }

  // MARK: Interfaces

  func changed(_ link: Link) {
    let old = interfaces.update(link)
    guard old != link else { return }
    noteNetworkChange(link.name)
    areInterfacesChanged = true
    areDevicesDue = true
    guard let old else { return }
    if old.isUp, !link.isUp {
      flush(link.index)
    } else if old.isRunning, !link.isRunning {
      // Objects and what goes through them do not outlive the carrier; other routes do.
      forgetNextHops(nextHops.ids(on: link.index))
    }
    if old.hardwareAddress != link.hardwareAddress { forgetNeighbours(on: link.index) }
  }

  func vanished(_ index: InterfaceIndex) {
    flush(index)
    madeDevices.remove(index)
    formerInterfaces.remove(index)
    guard let old = interfaces.remove(index) else { return }
    noteNetworkChange(old.name)
    areInterfacesChanged = true
    areDevicesDue = true
  }

  func added(_ address: InterfaceAddress) {
    guard interfaces.add(address) else { return }
    noteNetworkChange(interfaces[address.interface]?.name)
    areInterfacesChanged = true
    areDevicesDue = true
    // A gateway may be on the link now, or a source address this machine's.
    for (key, attempt) in attempts where attempt.retryAt == nil && key.family == address.address.family {
      attempts[key] = nil
      pending.insert(key)
    }
  }

  func removed(_ address: InterfaceAddress) {
    guard interfaces.remove(address) else { return }
    noteNetworkChange(interfaces[address.interface]?.name)
    areInterfacesChanged = true
    areDevicesDue = true
    // With the last one the kernel drops the routes and neighbours of the interface, and says nothing of them.
    guard address.address.family == .v4, !interfaces.hasAddress(.v4, on: address.interface) else { return }
    for key in actual.keys(by: address.interface, or: [], .v4) { forget(key) }
    forgetNeighbours(on: address.interface, .v4)
  }

  /// Pods' interfaces come and go all the time, and say nothing about how other nodes are reached.
  private func noteNetworkChange(_ name: String?) {
    if let name {
      if configuration.workloadInterfacePrefixes.contains(where: name.hasPrefix) { return }
      if [configuration.ipipDevice, configuration.vxlanDeviceV4, configuration.vxlanDeviceV6].contains(name) { return }
    }
    networkGeneration += 1
  }

  /// Notes that an interface lost its routes, neighbours and objects.
  private func flush(_ index: InterfaceIndex) {
    let objects = nextHops.ids(on: index)
    for key in actual.keys(by: index, or: objects) { forget(key) }
    nextHops.forget(objects)
    forgetNeighbours(on: index)
  }

  func forgetNextHops(_ objects: Set<UInt32>) {
    guard !objects.isEmpty else { return }
    for key in actual.keys(by: InterfaceIndex(0), or: objects) { forget(key) }
    nextHops.forget(objects)
  }

  private func forget(_ key: RouteKey) {
    actual[key] = nil
    removals.remove(key)
    guard desired[key] != nil else { return }
    lost.insert(key)
    unfinished.insert(key)
    pending.insert(key)
  }

  private func forgetNeighbours(on index: InterfaceIndex, _ family: AddressFamily? = nil) {
    guard case .vxlan(let own) = tunnelRole(index), family ?? own == own else { return }
    peers[own]?.forgetNeighbours()
  }

  private func observe(_ neighbour: Neighbour, isThere: Bool) {
    guard case .vxlan(let family) = tunnelRole(neighbour.interface), neighbour.address.family == family else { return }
    if isThere {
      peers[family]?.observe(neighbour)
    } else {
      peers[family]?.observeGone(neighbour.address)
    }
  }
}
