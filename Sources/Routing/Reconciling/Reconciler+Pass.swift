import IPAddressing
public import Netlink

extension Reconciler {
  /// Looks at the kernel for the first time. Nothing is changed, and nothing is yet known to be wanted (section 2.4).
  public func start(at now: Moment) throws(NetlinkError) {
    try lookAtEverything(at: now)
    formerInterfaces = Set(actual.values.values.compactMap(\.interface))
    formerInterfaces.formUnion(nextHops.present.values.compactMap(\.interface))
    isStarted = true
  }

  /// Makes the kernel as it should be, in the order that never lets a packet down: what routes need, routes, what only old
  /// routes needed.
  public func pass(at now: Moment) -> ReconcileReport {
    statistics.passes += 1
    var report = ReconcileReport()
    if isStarted {
      do throws(NetlinkError) {
        try work(at: now, &report)
      } catch {
        failed(error, at: now)
      }
      report.wantsSnapshot = wantsSnapshot(at: now)
      report.nextWake = nextWake(after: now)
    }
    report.conditions = journal.takeChanges()
    statistics.refusals += UInt64(report.refusals)
    return report
  }

  private func work(at now: Moment, _ report: inout ReconcileReport) throws(NetlinkError) {
    if let due = resyncDue, due <= now {
      try lookAtEverything(at: now)
      journal.clear(.refused, Self.exchange)
    }
    guard isInSync, !isUnsure, forbiddenUntil.map({ $0 <= now }) ?? true else { return }
    if forbiddenUntil != nil {
      forbiddenUntil = nil
      pending.formUnion(unfinished.keys)
    }
    if let due = deviceCheckDue, due <= now { try checkDevices(at: now) }
    try ensureDevices(at: now)
    guard forbiddenUntil == nil else { return }
    try updateRoles(at: now)
    if !hasLookedForOthers { try lookForOtherAgents(isFirst: true) }
    chooseNextHops()
    try addPeers(at: now, &report)
    wakeAttempts(at: now)
    try programRoutes(at: now, &report)
    try removeRoutes(at: now, &report)
    if !valve.isHolding {
      try removeNextHops(&report)
      try removePeers(&report)
      try removeDevices(at: now)
    }
    forgetQuiet(at: now)
    if journal.has(.notPermitted, Self.capability) && forbiddenUntil == nil {
      journal.clear(.notPermitted, Self.capability)
    }
  }

  static var exchange: String { "netlink" }
  static var capability: String { "CAP_NET_ADMIN" }

  /// An exchange failed as a whole: some changes may have been made and some not. Everything is looked at again, and
  /// nothing is changed before.
  func failed(_ error: NetlinkError, at now: Moment) {
    if case .refused(let refusal) = error.code, RefusalAnswer(refusal.errno) == .forbidden {
      forbidden(at: now)
      return
    }
    isUnsure = true
    resyncFailures += 1
    let pause = resyncFailures == 1 ? Duration.zero : pause(afterFailures: resyncFailures - 1, atMost: .seconds(30))
    resyncDue = nil
    requestResync(at: now + pause)
    journal.raise(
      .refused, Self.exchange, "\(error.attempt) failed; the kernel's tables are read again before anything is changed")
  }

  /// The right is missing: nothing else is tried for a while.
  func forbidden(at now: Moment) {
    forbiddenUntil = now + .seconds(30)
    journal.raise(
      .notPermitted, Self.capability,
      "the kernel does not let this process change routes; give it the capability CAP_NET_ADMIN in the network namespace"
    )
  }

  private func wakeAttempts(at now: Moment) {
    for (key, attempt) in attempts {
      guard let retryAt = attempt.retryAt, retryAt <= now else { continue }
      if desired[key] == nil, actual[key] == nil {
        attempts[key] = nil
        clearTrouble(key)
      } else {
        attempts[key]?.retryAt = nil
        attempts[key]?.isOpen = true
        pending.insert(key)
      }
    }
    for (key, disturbance) in disturbances {
      guard let quietUntil = disturbance.quietUntil, quietUntil <= now, unfinished.contains(key) else { continue }
      pending.insert(key)
    }
  }

  /// Ends the memory of disturbances that stopped.
  private func forgetQuiet(at now: Moment) {
    for (key, disturbance) in disturbances {
      guard let end = disturbance.forgottenAt, end <= now, !unfinished.contains(key) else { continue }
      disturbances[key] = nil
      clearTrouble(key)
    }
  }

  private func wantsSnapshot(at now: Moment) -> Bool {
    guard let request = valve.nextRequest(after: now), request <= now else { return false }
    valve.requested(at: now)
    return true
  }

  /// When something is due that no event tells.
  private func nextWake(after now: Moment) -> Moment? {
    var times = [resyncDue, forbiddenUntil, valve.nextRequest(after: now)].compactMap(\.self)
    if forbiddenUntil == nil, !isUnsure {
      times += attempts.values.compactMap(\.retryAt)
      times += devices.values.compactMap(\.retryAt)
      if let deviceCheckDue { times.append(deviceCheckDue) }
      if isInSync, !pending.isEmpty || !suspects.isEmpty { times.append(now) }
      for (key, disturbance) in disturbances {
        // What is unfinished for another reason is remembered until it is done.
        if unfinished.contains(key) {
          if let quietUntil = disturbance.quietUntil, quietUntil > now { times.append(quietUntil) }
        } else if let end = disturbance.forgottenAt {
          times.append(end)
        }
      }
    }
    return times.min().map { max($0, now + .milliseconds(1)) }
  }
}
