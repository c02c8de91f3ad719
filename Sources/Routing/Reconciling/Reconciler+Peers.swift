import IPAddressing
import Netlink

extension Reconciler {
  /// Adds and changes neighbours and forwarding entries, before any route that goes to them.
  func addPeers(at now: Moment, _ report: inout ReconcileReport) throws(NetlinkError) {
    for family in [AddressFamily.v4, .v6] {
      guard let state = roleStates[.vxlan(family)], state.isUp, var table = peers[family], !table.isSettled else {
        continue
      }
      let name = configuration.deviceName(.vxlan(family)) ?? ""
      let subject = Condition.Subject(.refused, "neighbours of \(name)")
      let refusal = try make(table.additions(on: state.index), in: &table, &report)
      peers[family] = table
      journal.set(
        subject,
        refusal.map { Condition("the kernel refuses neighbours on \(name): \($0.reason)") })
      if let refusal, RefusalAnswer(refusal.errno) == .forbidden { forbidden(at: now) }
    }
  }

  /// Removes the neighbours and forwarding entries of nodes that are gone, once no route goes to them. A device that
  /// somebody else looks after is theirs to clear.
  func removePeers(_ report: inout ReconcileReport) throws(NetlinkError) {
    for family in [AddressFamily.v4, .v6] {
      guard let state = roleStates[.vxlan(family)], var table = peers[family], !table.isSettled else { continue }
      if configuration.managesDevices, devices[.vxlan(family)] != nil {
        _ = try make(table.removals(on: state.index), in: &table, &report)
      }
      table.settle()
      peers[family] = table
    }
  }

  /// Makes changes and notes which of them were made.
  ///
  /// - Returns: the first refusal.
  private func make(_ changes: [KernelChange], in table: inout PeerTable, _ report: inout ReconcileReport)
    throws(NetlinkError) -> KernelRefusal?
  {
    guard !changes.isEmpty else { return nil }
    let refusals = try kernel.apply(changes)
    for (position, change) in changes.enumerated() {
      if let refusal = refusals[position], RefusalAnswer(refusal.errno) != .gone {
        report.refusals += 1
      } else {
        report.changes += 1
        table.made(change)
      }
    }
    return refusals.min { $0.key < $1.key }?.value
  }

  /// Makes the objects that routes are about to go through.
  ///
  /// - Returns: false when routes have to be made without objects after all.
  func addNextHops(_ needed: [UInt32: TunnelHop], _ report: inout ReconcileReport) throws(NetlinkError) -> Bool {
    var work: [(id: UInt32, hop: TunnelHop, way: RouteHop)] = []
    for (id, hop) in needed.sorted(by: { $0.key < $1.key }) {
      guard let state = roleStates[hop.role] else { continue }
      let way = RouteHop(gateway: hop.gateway, interface: state.index, isOnLink: true)
      if nextHops.present[id] != way { work.append((id, hop, way)) }
    }
    guard !work.isEmpty else { return true }
    let refusals = try kernel.apply(
      work.map { .replaceNextHop(NextHop(id: $0.id, origin: configuration.routeProtocol, hop: $0.way)) })
    var answers: Set<RefusalAnswer> = []
    for (position, item) in work.enumerated() {
      guard let refusal = refusals[position] else {
        nextHops.made(item.id, item.way)
        report.changes += 1
        continue
      }
      report.refusals += 1
      let answer = RefusalAnswer(refusal.errno)
      answers.insert(answer)
      // One bad gateway is the route's own problem, which it tells better without an object.
      if answer == .senseless { plainHops.insert(item.hop) }
    }
    if answers.contains(.unsupported) {
      supportsNextHops = false
      chooseNextHops()
      return false
    }
    return !answers.contains(.senseless)
  }
}
