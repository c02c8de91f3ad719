import IPAddressing
public import Netlink

/// What was removed, and what could not be.
public struct CleanupReport: Hashable, Sendable {
  public var routes: [RouteKey] = []
  public var neighbours = 0
  public var nextHops = 0
  public var devices: [String] = []
  /// What is left, and why.
  public var left: [String] = []

  public init() {}
}

extension Reconciler {
  /// Removes exactly what is ours: routes with our protocol in our table, then neighbours and objects, then devices that
  /// are set as ours are and used by nobody else.
  public func cleanup(at now: Moment) throws(NetlinkError) -> CleanupReport {
    try lookAtEverything(at: now)
    var report = CleanupReport()
    try removeAllRoutes(&report)
    try removeAllNextHops(&report)
    for role in [InterfaceRole.ipip, .vxlan(.v4), .vxlan(.v6)] { try removeDevice(role, &report) }
    return report
  }

  private func removeAllRoutes(_ report: inout CleanupReport) throws(NetlinkError) {
    // An IPv6 dump may miss some; another look finds them.
    for _ in 0..<3 {
      var routes: [Route] = []
      for family in [AddressFamily.v4, .v6] {
        routes += try kernel.routes(family, table: configuration.routeTable, origin: configuration.routeProtocol)
          .filter(isOurs)
      }
      guard !routes.isEmpty else { return }
      routes.sort { $0.key.destination.prefixLength > $1.key.destination.prefixLength }
      let refusals = try kernel.apply(routes.map { .deleteRoute(RouteValue($0).route($0.key)) })
      report.left = []
      for (position, route) in routes.enumerated() {
        if let refusal = refusals[position], RefusalAnswer(refusal.errno) != .gone {
          report.left.append("the route to \(route.key.destination): \(refusal.reason)")
        } else {
          report.routes.append(route.key)
          actual[route.key] = nil
        }
      }
      if !report.left.isEmpty { return }
    }
  }

  private func removeAllNextHops(_ report: inout CleanupReport) throws(NetlinkError) {
    guard supportsNextHops else { return }
    let ids = nextHops.present.keys.sorted()
    let refusals = try kernel.apply(ids.map { .deleteNextHop(id: $0) })
    for (position, id) in ids.enumerated() {
      if let refusal = refusals[position], RefusalAnswer(refusal.errno) != .gone {
        report.left.append("the nexthop object \(id): \(refusal.reason)")
      } else {
        report.nextHops += 1
      }
    }
  }

  private func removeDevice(_ role: InterfaceRole, _ report: inout CleanupReport) throws(NetlinkError) {
    guard configuration.managesDevices, let name = configuration.deviceName(role), let link = interfaces[name] else {
      return
    }
    let inputs = DeviceInputs(
      role: role, wanted: DesiredDevice(), name: name, parent: nil, interfaces: interfaces,
      configuration: configuration, acceptedKinds: acceptedDeviceKinds)
    let changes = inputs.removal(wasMade: madeDevices.contains(link.index))
    guard !changes.isEmpty else { return }
    if try isUsedByOthers(link.index) {
      report.left.append("\(name), which routes of others leave by")
      return
    }
    if case .vxlan(let family) = role {
      // With the device they would go anyway; counted, they can be told.
      report.neighbours += try kernel.neighbours(family, of: link.index).count { $0.isPermanent }
    }
    let refusals = try kernel.apply(changes)
    if let refusal = refusals.min(by: { $0.key < $1.key })?.value {
      report.left.append("\(name): \(refusal.reason)")
    } else {
      report.devices.append(name)
    }
  }
}
