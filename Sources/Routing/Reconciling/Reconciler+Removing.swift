import IPAddressing
import Netlink

extension Reconciler {
  /// Removes what is not wanted, longer prefixes first, unless it is too much to be believed.
  func removeRoutes(at now: Moment, _ report: inout ReconcileReport) throws(NetlinkError) {
    removals = removals.filter { desired[$0] == nil && actual[$0] != nil }
    let candidates = removals.filter { attempts[$0]?.retryAt == nil }
    if hasNewSnapshot {
      hasNewSnapshot = false
      valve.listed(removals, at: now)
    }
    let blackholes = candidates.count { actual[$0]?.kind == .blackhole }
    let wasHolding = valve.isHolding
    let admitted = valve.admit(
      candidates,
      isLoss: { actual[configuration.key($0.destination)] == nil || configuration.key($0.destination) == $0 },
      present: actual.count,
      areAllBlackholes: actual.blackholes > 0 && blackholes == actual.blackholes)
    describeValve(held: candidates.count - admitted.count, wasHolding: wasHolding)
    let ordered = admitted.sorted {
      ($0.destination.prefixLength, $0.destination.address) > ($1.destination.prefixLength, $1.destination.address)
    }
    try remove(ordered, at: now, &report)
    try removeShadows(&report)
  }

  private func describeValve(held: Int, wasHolding: Bool) {
    guard valve.isHolding else {
      if wasHolding { journal.clear(.deletionsHeld, "routes") }
      return
    }
    // The number is that of the beginning: it would be told anew with every other route.
    guard !journal.has(.deletionsHeld, "routes") else { return }
    journal.raise(
      .deletionsHeld, "routes",
      "\(held) of \(actual.count) routes would be removed; they stay until two full listings of the datastore "
        + "\(configuration.deletionValve.confirmationSeconds) s apart agree")
  }

  private func remove(_ keys: [RouteKey], at now: Moment, _ report: inout ReconcileReport) throws(NetlinkError) {
    var rest = keys[...]
    while !rest.isEmpty {
      let part = Array(rest.prefix(4096))
      rest = rest.dropFirst(4096)
      let changes = part.compactMap { key in actual[key].map { KernelChange.deleteRoute($0.route(key)) } }
      statistics.routeChanges += UInt64(changes.count)
      let refusals = try kernel.apply(changes)
      for (position, key) in part.enumerated() {
        guard let refusal = refusals[position], RefusalAnswer(refusal.errno) != .gone else {
          // Gone, or somebody else's by now: not ours in either case.
          if refusals[position] == nil { report.changes += 1 }
          actual[key] = nil
          removals.remove(key)
          attempts[key] = nil
          clearTrouble(key)
          continue
        }
        report.refusals += 1
        keepRemoving(key, refusal, at: now)
      }
    }
  }

  private func keepRemoving(_ key: RouteKey, _ refusal: KernelRefusal, at now: Moment) {
    guard RefusalAnswer(refusal.errno) != .forbidden else { return forbidden(at: now) }
    let failures = (attempts[key]?.failures ?? 0) + 1
    attempts[key] = FailedAttempt(
      errno: refusal.errno, failures: failures, retryAt: now + pause(afterFailures: failures), value: nil)
    raise(.refused, key, "the kernel refuses to remove the route to \(key.destination): \(refusal.reason)")
  }

  /// Removes further routes of ours with a key that has one. Which of them goes is the kernel's choice if only their MTU is
  /// different, so the key is sent again.
  private func removeShadows(_ report: inout ReconcileReport) throws(NetlinkError) {
    guard !shadows.isEmpty else { return }
    let refusals = try kernel.apply(shadows.map { .deleteRoute($0) })
    statistics.routeChanges += UInt64(shadows.count)
    report.changes += shadows.count - refusals.count
    let keys = Set(shadows.map(\.key))
    shadows = []
    suspects.formUnion(keys)
    for key in keys where desired[key] != nil { forced.insert(key) }
    pending.formUnion(keys)
  }

  /// Removes the objects that no route needs any more. One that is in use would take its routes along (section 3.9).
  func removeNextHops(_ report: inout ReconcileReport) throws(NetlinkError) {
    // A route that is taken for gone, on the word of an event, may be there again, and go through one of them.
    guard lost.isEmpty else { return }
    let isWanted = { (hop: TunnelHop) in self.usesNextHops && self.tunnelHops[hop] != nil }
    let ids = nextHops.removals(isWanted: isWanted).filter { actual.count(through: $0) == 0 }
    nextHops.settle(isWanted: isWanted)
    let present = ids.filter { nextHops.present[$0] != nil }
    if !present.isEmpty {
      let refusals = try kernel.apply(present.map { .deleteNextHop(id: $0) })
      for (position, id) in present.enumerated() {
        if let refusal = refusals[position], RefusalAnswer(refusal.errno) != .gone {
          report.refusals += 1
        } else {
          report.changes += 1
          nextHops.removed(id)
        }
      }
    }
    for id in ids where nextHops.present[id] == nil { nextHops.removed(id) }
  }
}
