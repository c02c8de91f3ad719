import IPAddressing
import Netlink

/// A route to be sent.
struct RouteWork: Sendable {
  var key: RouteKey
  var value: RouteValue
  /// Whether the key is ours, so that whatever has it gives way.
  var replaces: Bool
  /// Ours, where somebody else has the key first and it lies behind.
  var shadows: [Route] = []
}

extension [RouteWork] {
  /// Routes to one gateway side by side, in the order that each group had. IPv4 looks for a next hop that it has already,
  /// and finds the latest at once; any other takes as long as there are next hops on the device (section 7.1). With few
  /// of them the order of destinations counts for more.
  fileprivate var groupedByGateway: [RouteWork] {
    var groups: [IPAddress?: [RouteWork]] = [:]
    var order: [IPAddress?] = []
    for work in self {
      let gateway = work.value.nextHopID == nil ? work.value.gateway : nil
      if groups[gateway] == nil { order.append(gateway) }
      groups[gateway, default: []].append(work)
    }
    return order.count < 50 ? self : order.flatMap { groups[$0] ?? [] }
  }
}

extension Reconciler {
  /// Adds and replaces what is pending: tunnel addresses first, which other routes go to, then longer prefixes before
  /// shorter ones, so that no address falls to a shorter route that is not for it.
  func programRoutes(at now: Moment, _ report: inout ReconcileReport) throws(NetlinkError) {
    if !suspects.isEmpty { try readBackSuspects(at: now) }
    var stages: [Int: [RouteWork]] = [:]
    var needsNextHops: [UInt32: TunnelHop] = [:]
    // In ascending order the kernel's tree grows at one end, which takes it less time than growing everywhere.
    for key in pending.sorted(by: { $0.destination.address < $1.destination.address }) {
      guard let route = desired[key] else {
        noteRemoval(key)
        continue
      }
      guard let work = work(for: key, route, at: now) else { continue }
      if let id = work.value.nextHopID, case .hop(let role, let gateway?, _) = route.path {
        needsNextHops[id] = TunnelHop(role: role, gateway: gateway)
      }
      stages[(route.isToTunnelAddress ? 1000 : 0) + key.destination.prefixLength, default: []].append(work)
    }
    pending = []
    guard !stages.isEmpty else { return }
    guard try addNextHops(needsNextHops, &report) else {
      // Without objects the values are others; nothing was sent.
      pending = Set(stages.values.joined().map(\.key))
      return try programRoutes(at: now, &report)
    }
    var contested: [RouteWork] = []
    for stage in stages.keys.sorted(by: >) {
      contested += try send((stages[stage] ?? []).groupedByGateway, at: now, &report)
    }
    guard !contested.isEmpty else { return }
    let again = try settle(contested, at: now)
    // A second refusal of the same kind means that somebody is quicker; time will tell.
    for work in try send(again, at: now, &report) { postpone(work, 17, "somebody else writes the same route", at: now) }
  }

  /// What is to be sent for a desired route; nil when nothing is, or not now.
  private func work(for key: RouteKey, _ route: DesiredRoute, at now: Moment) -> RouteWork? {
    removals.discard(key)
    valve.wanted(key)
    guard let value = value(route, key.family) else {
      unfinished.insert(key)
      return nil
    }
    let present = actual[key]
    if present == value, !forced.contains(key) {
      succeeded(key)
      return nil
    }
    unfinished.insert(key)
    if let quietUntil = disturbances[key]?.quietUntil, quietUntil > now { return nil }
    if let attempt = attempts[key], attempt.value == value, !attempt.isOpen { return nil }
    guard present == nil, !lost.contains(key) else { return RouteWork(key: key, value: value, replaces: true) }
    if let holder = holder(of: key) {
      hold(key, holder)
      return nil
    }
    if held.remove(key) { clearTrouble(key) }
    return RouteWork(key: key, value: value, replaces: false)
  }

  /// Who programs a destination that we hold nothing of.
  private func holder(of key: RouteKey) -> RouteProtocol? {
    strangers[key] ?? otherAgents[key.destination]?.min { $0.key.metric < $1.key.metric }?.value
  }

  /// Leaves a destination to somebody else until their route is gone. Nothing is taken that was not ours.
  private func hold(_ key: RouteKey, _ holder: RouteProtocol) {
    held.insert(key)
    unfinished.insert(key)
    let advice =
      switch holder {
      case .felix: "stop Felix from programming it, or set adoptFelixTunnelRoutes"
      case .bird: "stop BIRD from programming it, or set adoptBirdTunnelRoutes"
      default: "remove that route to have this one"
      }
    raise(.foreign, key, "\(holder.agentName) has a route to \(key.destination), which is left alone; \(advice)")
  }

  private func noteRemoval(_ key: RouteKey) {
    forced.remove(key)
    guard let value = actual[key] else { return }
    let isOnTunnel = value.interface.flatMap(tunnelRole) != nil
    if value.origin == configuration.routeProtocol || isOnTunnel {
      removals.insert(key)
    } else {
      // Taken over only as long as it was wanted.
      actual[key] = nil
    }
  }

  /// Sends routes, as many at a time as the kernel takes at once: the memory for so few is used again and again.
  ///
  /// - Returns: those whose key turned out to be taken.
  private func send(_ work: [RouteWork], at now: Moment, _ report: inout ReconcileReport) throws(NetlinkError)
    -> [RouteWork]
  {
    var contested: [RouteWork] = []
    var rest = work[...]
    while !rest.isEmpty {
      let part = rest.prefix(512)
      rest = rest.dropFirst(512)
      var changes: [KernelChange] = []
      var positions: [Int] = []
      changes.reserveCapacity(part.count)
      positions.reserveCapacity(part.count)
      for item in part {
        changes += item.shadows.map { .deleteRoute($0) }
        positions.append(changes.count)
        let route = item.value.route(item.key)
        changes.append(item.replaces ? .replaceRoute(route) : .addRoute(route))
      }
      statistics.routeChanges += UInt64(changes.count)
      let refusals = try kernel.apply(changes)
      for (position, item) in zip(positions, part) {
        guard let refusal = refusals[position] else {
          report.changes += 1
          actual[item.key] = item.value
          succeeded(item.key)
          continue
        }
        report.refusals += 1
        if RefusalAnswer(refusal.errno) == .taken {
          contested.append(item)
        } else {
          refused(item, refusal, at: now)
        }
      }
    }
    return contested
  }

  func succeeded(_ key: RouteKey) {
    unfinished.remove(key)
    held.remove(key)
    lost.remove(key)
    forced.remove(key)
    strangers.discard(key)
    attempts.discard(key)
    if disturbances[key] == nil { clearTrouble(key) }
  }

  /// Finds out who has the keys that were refused: one look for each family.
  ///
  /// - Returns: what is to be sent after all.
  private func settle(_ contested: [RouteWork], at now: Moment) throws(NetlinkError) -> [RouteWork] {
    let found = try readBack(Set(contested.map(\.key)))
    var again: [RouteWork] = []
    for var item in contested {
      let routes = found[item.key] ?? []
      let ours = routes.first(where: isOurs)
      guard let first = routes.first else {
        postpone(item, 17, "the kernel says that it is there, and does not show it", at: now)
        continue
      }
      if isOurs(first) {
        actual[item.key] = RouteValue(first)
        if actual[item.key] == item.value {
          succeeded(item.key)
        } else {
          item.replaces = true
          again.append(item)
        }
      } else if item.replaces {
        // Ours lies behind somebody else's, which refuses the same again.
        item.shadows = ours.map { [$0] } ?? []
        again.append(item)
      } else if isAdopted(first) {
        item.replaces = true
        again.append(item)
      } else {
        strangers[item.key] = first.origin
        hold(item.key, first.origin)
      }
    }
    return again
  }

  /// All routes with some keys, in the order in which the kernel uses them.
  private func readBack(_ keys: Set<RouteKey>) throws(NetlinkError) -> [RouteKey: [Route]] {
    var found: [RouteKey: [Route]] = [:]
    for family in Set(keys.map(\.family)).sorted() {
      for route in try kernel.routes(family, table: configuration.routeTable, origin: nil)
      where keys.contains(route.key) {
        found[route.key, default: []].append(route)
      }
    }
    return found
  }

  /// Looks at the keys where something appeared beside a route of ours.
  private func readBackSuspects(at now: Moment) throws(NetlinkError) {
    let keys = suspects
    let found = try readBack(keys)
    suspects = []
    for key in keys {
      pending.insert(key)
      let routes = found[key] ?? []
      let ours = routes.first(where: isOurs)
      if let first = routes.first, !isOurs(first) {
        if actual[key] != nil || ours != nil {
          actual[key] = nil
          if desired[key] != nil {
            lost.insert(key)
            unfinished.insert(key)
            disturbed(key, by: first.origin, at: now)
          } else if let ours {
            shadows.append(ours)
          }
        } else {
          strangers[key] = first.origin
        }
      } else if let ours {
        actual[key] = RouteValue(ours)
        shadows += routes.dropFirst().filter(isOurs)
      } else if key.family == .v4 {
        actual[key] = nil
        if desired[key] != nil { lost.insert(key) }
      } else if desired[key] != nil {
        forced.insert(key)
      }
    }
  }

  private func refused(_ work: RouteWork, _ refusal: KernelRefusal, at now: Moment) {
    let key = work.key
    unfinished.insert(key)
    let answer = RefusalAnswer(refusal.errno)
    switch answer {
    case .forbidden: forbidden(at: now)
    case .interfaceMissing:
      // The event that ends it is under way, or comes with the interface; nothing to tell anybody.
      attempts[key] = FailedAttempt(errno: refusal.errno, failures: 1, retryAt: nil, value: work.value)
      areInterfacesChanged = true
    case .offLink:
      attempts[key] = FailedAttempt(errno: refusal.errno, failures: 1, retryAt: nil, value: work.value)
      let gateway = work.value.gateway.map { " \($0)" } ?? ""
      raise(
        .offSubnet, key,
        "the gateway\(gateway) of \(key.destination) is on no link of this node: \(refusal.reason); it is tried again when "
          + "addresses change")
    case .senseless where work.value.nextHopID == nil:
      attempts[key] = FailedAttempt(errno: refusal.errno, failures: 1, retryAt: nil, value: work.value)
      raise(.refused, key, "the kernel refuses the route to \(key.destination): \(refusal.reason)")
    case .senseless, .gone, .unsupported:
      // The object may be gone without a word.
      if let id = work.value.nextHopID { nextHops.forget([id]) }
      postpone(work, refusal.errno, refusal.reason, at: now)
    case .exhausted: postpone(work, refusal.errno, refusal.reason, atMost: .seconds(30), at: now)
    case .taken, .other: postpone(work, refusal.errno, refusal.reason, at: now)
    }
  }

  private func postpone(
    _ work: RouteWork, _ errno: Int32, _ reason: String, atMost limit: Duration = .seconds(60), at now: Moment
  ) {
    let key = work.key
    unfinished.insert(key)
    let failures = (attempts[key]?.failures ?? 0) + 1
    attempts[key] = FailedAttempt(
      errno: errno, failures: failures, retryAt: now + pause(afterFailures: failures, atMost: limit), value: work.value)
    raise(.refused, key, "the kernel refuses the route to \(key.destination): \(reason)")
  }
}
