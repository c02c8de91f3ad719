import IPAddressing
import Netlink

extension Reconciler {
  /// Looks at links and addresses, which no event should be needed for, and have the devices verified (section 4.6).
  func checkDevices(at now: Moment) throws(NetlinkError) {
    try refreshInterfaces()
    areDevicesDue = true
    for role in devices.keys { devices[role]?.offloadSetFor = nil }
  }

  /// Makes the tunnel devices as they should be, as far as that is possible now.
  func ensureDevices(at now: Moment) throws(NetlinkError) {
    let isRetryDue = devices.values.contains { $0.retryAt.map { $0 <= now } ?? false }
    guard areDevicesDue || isRetryDue else { return }
    areDevicesDue = false
    scheduleDeviceCheck(at: now)
    var last: [InterfaceRole: DevicePlan] = [:]
    // Each step may need another look: a device made anew is set up in a second one, an old address goes in a third.
    for _ in 0..<8 {
      var hasActed = false
      for role in devices.keys.sorted(by: { ($0.sortingRank) < ($1.sortingRank) }) {
        guard let state = devices[role], state.retryAt.map({ $0 <= now }) ?? true, let inputs = inputs(role, state)
        else {
          continue
        }
        let plan = inputs.plan()
        if case .changes(let changes) = plan {
          if last[role] == plan {
            deviceFailed(role, "the kernel accepts changes of \(inputs.name), and they have no effect", at: now)
            continue
          }
          last[role] = plan
          if try make(changes, role, inputs.name, at: now) { hasActed = true }
        } else {
          conclude(plan, role, inputs.name, at: now)
        }
      }
      guard hasActed else { return }
      // The kernel tells of a new device by itself, when it is not up yet: that must not be taken for news after the look.
      try takeEvents(at: now)
      try refreshInterfaces()
      noteMadeDevices()
    }
  }

  private func inputs(_ role: InterfaceRole, _ state: DeviceState) -> DeviceInputs? {
    guard let name = configuration.deviceName(role) else { return nil }
    var family = AddressFamily.v4
    if case .vxlan(let own) = role { family = own }
    return DeviceInputs(
      role: role, wanted: state.wanted, name: name, parent: parent(family), interfaces: interfaces,
      configuration: configuration, acceptedKinds: role == .ipip ? acceptedDeviceKinds : [])
  }

  private func scheduleDeviceCheck(at now: Moment) {
    let needsParent =
      rolesInUse[.parent(.v4)] != nil && parent(.v4) == nil
      || rolesInUse[.parent(.v6)] != nil && parent(.v6) == nil
    if devices.isEmpty, !needsParent {
      deviceCheckDue = nil
    } else {
      // The parent is looked for more often while it is missing (section 1.6).
      deviceCheckDue = now + (needsParent ? .seconds(1) : .seconds(10))
    }
  }

  /// Makes some changes of a device, in one batch.
  ///
  /// - Returns: whether another look is worth while.
  private func make(_ changes: [KernelChange], _ role: InterfaceRole, _ name: String, at now: Moment)
    throws(NetlinkError) -> Bool
  {
    let isCreation = changes.contains { if case .createLink = $0 { true } else { false } }
    if isCreation, !mayCreate(role, name, at: now) { return false }
    let refusals = try kernel.apply(changes)
    if isCreation, refusals.isEmpty { creating.insert(name) }
    guard let position = refusals.keys.min(), let refusal = refusals[position] else { return true }
    switch RefusalAnswer(refusal.errno) {
    case .forbidden:
      forbidden(at: now)
      return false
    // It went meanwhile, as the next look will say.
    case .gone, .interfaceMissing: return true
    case .taken where isCreation:
      try refreshInterfaces()
      if interfaces[name] != nil { return true }
      deviceFailed(role, conflict(role, name), at: now)
      return false
    case .unsupported where isCreation:
      devices[role]?.failures += 1
      let failures = devices[role]?.failures ?? 1
      devices[role]?.retryAt = now + pause(afterFailures: failures, atMost: .seconds(30))
      journal.raise(
        .encapsulationUnsupported, name,
        "this kernel has no \(role == .ipip ? "ipip" : "vxlan") devices, so \(name) cannot be made; its routes wait, all "
          + "others are not affected")
      return false
    default:
      deviceFailed(role, "the kernel refuses to \(isCreation ? "make" : "set up") \(name): \(refusal.reason)", at: now)
      return refusals.count < changes.count
    }
  }

  /// Whether a device may be made: not when it was made and vanished several times within seconds.
  private func mayCreate(_ role: InterfaceRole, _ name: String, at now: Moment) -> Bool {
    let recent = (devices[role]?.creations ?? []).filter { $0 + .seconds(10) > now }
    guard recent.count >= 3 else {
      devices[role]?.creations = recent + [now]
      return true
    }
    deviceFailed(role, "somebody removes \(name) again and again; it is made with growing pauses", at: now)
    return false
  }

  private func conflict(_ role: InterfaceRole, _ name: String) -> String {
    guard role != .ipip else {
      return "another IPIP device for any address exists already, so \(name) cannot be made; remove or rename that one"
    }
    let holder = interfaces.links.values
      .filter { $0.vxlan?.identifier == configuration.vxlanIdentifier && $0.vxlan?.port == configuration.vxlanPort }
      .min { $0.index < $1.index }
    return "the VXLAN network \(configuration.vxlanIdentifier) on port \(configuration.vxlanPort) belongs to "
      + "\(holder?.name ?? "another device") already, so \(name) cannot be made; remove that one or set vxlanVNI"
  }

  private func deviceFailed(_ role: InterfaceRole, _ message: String, at now: Moment) {
    let failures = (devices[role]?.failures ?? 0) + 1
    devices[role]?.failures = failures
    devices[role]?.retryAt = now + pause(afterFailures: failures, atMost: .seconds(30))
    journal.raise(.device, configuration.deviceName(role) ?? "", message)
  }

  private func conclude(_ plan: DevicePlan, _ role: InterfaceRole, _ name: String, at now: Moment) {
    devices[role]?.retryAt = nil
    switch plan {
    case .ready:
      devices[role]?.failures = 0
      clearDeviceConditions(role)
      setOffload(role, name)
    case .blocked(let subject, let condition):
      clearDeviceConditions(role, but: subject)
      journal.set(subject, condition)
    case .waiting:
      journal.raise(.device, name, "\(name) is not there or down; it is made elsewhere (manageDevices is off)")
    case .changes: break
    }
  }

  func clearDeviceConditions(_ role: InterfaceRole, but kept: Condition.Subject? = nil) {
    guard let name = configuration.deviceName(role) else { return }
    for kind in [Condition.Kind.device, .encapsulationUnsupported, .noParent] {
      let subject = Condition.Subject(kind, name)
      if subject != kept { journal.set(subject, nil) }
    }
  }

  /// Sees to the checksum offload of a device, where it is known or said to be broken (R-31).
  private func setOffload(_ role: InterfaceRole, _ name: String) {
    guard configuration.managesDevices, let index = interfaces[name]?.index, devices[role]?.offloadSetFor != index
    else {
      return
    }
    let isOn: Bool
    switch configuration.tunnelChecksumOffload {
    case .on: isOn = true
    case .off: isOn = false
    case .automatic:
      guard let kernelVersion, kernelVersion <= KernelVersion(5, 7) else { return }
      isOn = false
    }
    let subject = Condition.Subject(.device, "checksum offload of \(name)")
    do throws(NetlinkError) {
      _ = try kernel.setTransmitChecksumOffload(isOn, interface: name)
      devices[role]?.offloadSetFor = index
      journal.set(subject, nil)
    } catch {
      journal.set(
        subject,
        Condition("checksum offload of \(name) cannot be switched \(isOn ? "on" : "off"): \(error.errno.errorName)"))
    }
  }

  private func noteMadeDevices() {
    for name in creating {
      if let link = interfaces[name] { madeDevices.insert(link.index) }
    }
    creating = []
  }

  /// Removes the devices that no pool needs any more, if they are ours: made here, or set exactly as ours are and used by
  /// nobody else.
  func removeDevices(at now: Moment) throws(NetlinkError) {
    for role in unwantedDevices.sorted(by: { $0.sortingRank < $1.sortingRank }) where rolesInUse[role] == nil {
      unwantedDevices.remove(role)
      guard let inputs = inputs(role, DeviceState(wanted: DesiredDevice())), let link = interfaces[inputs.name] else {
        continue
      }
      let changes = inputs.removal(wasMade: madeDevices.contains(link.index))
      guard !changes.isEmpty else { continue }
      if try isUsedByOthers(link.index) { continue }
      let refusals = try kernel.apply(changes)
      if refusals.values.contains(where: { RefusalAnswer($0.errno) == .forbidden }) {
        unwantedDevices.insert(role)
        forbidden(at: now)
      }
      try refreshInterfaces()
    }
  }

  /// Whether routes of somebody else leave by an interface; the kernel's own come with its addresses.
  func isUsedByOthers(_ index: InterfaceIndex) throws(NetlinkError) -> Bool {
    for family in [AddressFamily.v4, .v6] {
      let routes = try kernel.routes(family, table: configuration.routeTable, origin: nil)
      if routes.contains(where: { !isOurs($0) && $0.origin != .kernel && $0.hop?.interface == index }) { return true }
    }
    return false
  }
}

extension InterfaceRole {
  /// An order for roles, so that what is done is the same every time.
  fileprivate var sortingRank: UInt64 {
    switch self {
    case .parent(.v4): 0
    case .parent(.v6): 1
    case .ipip: 2
    case .vxlan(.v4): 3
    case .vxlan(.v6): 4
    case .interface(let index): 5 + UInt64(index.rawValue)
    }
  }
}
