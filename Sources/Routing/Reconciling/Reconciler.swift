public import IPAddressing
import Netlink

/// Makes the kernel's tables equal to what this node should have (routes specification, section 2).
///
/// Events and wishes only change what is known here; ``pass(at:)`` alone changes the kernel. Between two passes nothing
/// has to happen: the report says when the next one is due. One thread uses it, and it looks at no clock.
public final class Reconciler<K: Kernel> {
  let kernel: K
  let configuration: RoutingConfiguration
  let kernelVersion: KernelVersion?
  /// Kinds of devices that pass for an IPIP device, in tests on kernels without any.
  let acceptedDeviceKinds: Set<String>
  private var randomState: UInt64

  // What is wanted.
  /// Whether ``receive(_:)`` was told everything once. Until then nothing is changed (section 2.4).
  var isInSync = false
  var desired: [RouteKey: DesiredRoute] = [:]
  var underlays: [AddressFamily: IPAddress] = [:]
  var devices: [InterfaceRole: DeviceState] = [:]
  var unwantedDevices: Set<InterfaceRole> = []
  var peers: [AddressFamily: PeerTable] = [.v4: PeerTable(), .v6: PeerTable()]
  private var desiredV4Count = 0
  /// How many desired routes leave by a role.
  var rolesInUse: [InterfaceRole: Int] = [:]
  /// How many desired routes go to a gateway behind a tunnel device.
  var tunnelHops: [TunnelHop: Int] = [:]

  // What is there.
  var interfaces = InterfaceTable()
  var actual = RouteTable()
  /// Desired keys that were ours, and whose route is gone: they are taken back.
  var lost = RouteKeySet()
  /// Who has a desired key that is not ours.
  var strangers: [RouteKey: RouteProtocol] = [:]
  /// Routes of other agents by destination, whatever their metric.
  var otherAgents: [CIDR: [RouteKey: RouteProtocol]] = [:]
  var nextHops = NextHopTable()
  var usesNextHops = false
  var supportsNextHops = true
  /// Gateways that the kernel makes no object for.
  var plainHops: Set<TunnelHop> = []
  var madeDevices: Set<InterfaceIndex> = []
  /// Names of devices that were made, until their indexes are known.
  var creating: Set<String> = []
  /// Interfaces that routes of ours left by at the start.
  var formerInterfaces: Set<InterfaceIndex> = []
  /// The interfaces whose neighbours are watched.
  var watchedInterfaces: Set<InterfaceIndex> = []
  /// Grows with every change of an interface or address that is neither a pod's nor a tunnel's.
  var networkGeneration: UInt64 = 0
  var roleStates: [InterfaceRole: RoleState] = [:]

  // What is to be done.
  var pending: Set<RouteKey> = []
  /// Keys to be sent again although they seem right.
  var forced = RouteKeySet()
  /// Keys that have to be read back.
  var suspects: Set<RouteKey> = []
  /// Routes that are present and not wanted.
  var removals: Set<RouteKey> = []
  /// Further routes of ours with a key that has one already.
  var shadows: [Route] = []
  var attempts: [RouteKey: FailedAttempt] = [:]
  var disturbances: [RouteKey: Disturbance] = [:]
  /// Desired keys that the kernel does not have as they are desired.
  var unfinished = RouteKeySet()
  var held = RouteKeySet()
  /// Keys with a condition of their own.
  var troubled: Set<RouteKey> = []
  var journal = ConditionJournal()
  var valve: DeletionValve
  var areInterfacesChanged = true
  var areDevicesDue = true
  var hasLookedForOthers = false
  var hasNewSnapshot = false
  /// Whether an exchange failed so that nobody knows what the kernel has.
  var isUnsure = false
  var isStarted = false
  /// Whether events were lost since everything was looked at.
  var hasLostEvents = false

  // When it is to be done.
  var lastResync: Moment?
  var resyncDue: Moment?
  var resyncFailures = 0
  var deviceCheckDue: Moment?
  var forbiddenUntil: Moment?

  /// Reads events and hands them over, to whoever else has a use for them too.
  var eventReader: ((Moment) throws(NetlinkError) -> Void)?

  /// What was done so far.
  public internal(set) var statistics = ReconcileStatistics()

  /// A reconciler that knows nothing yet.
  ///
  /// - Parameters:
  ///   - configuration: how to route.
  ///   - kernel: the tables to keep right.
  ///   - kernelVersion: decides on checksum offload; nil when it is not known.
  ///   - acceptedDeviceKinds: kinds that pass for an IPIP device, for tests on kernels that make none.
  ///   - seed: of the jitter.
  public init(
    _ configuration: RoutingConfiguration,
    kernel: K,
    kernelVersion: KernelVersion?,
    acceptedDeviceKinds: Set<String> = [],
    seed: UInt64
  ) {
    self.configuration = configuration
    self.kernel = kernel
    self.kernelVersion = kernelVersion
    self.acceptedDeviceKinds = acceptedDeviceKinds
    randomState = seed | 1
    valve = DeletionValve(configuration.deletionValve)
    if configuration.nextHopObjects == .off { supportsNextHops = false }
  }

  /// Takes over what is different about what is wanted.
  public func receive(_ changes: DesiredChanges) {
    if changes.routes.count > desired.count {
      desired.reserveCapacity(desired.count + changes.routes.count)
      pending.reserveCapacity(changes.routes.count)
      unfinished.reserve(changes.routes.count)
    }
    for (key, route) in changes.routes { want(route, at: key) }
    for (key, peer) in changes.peers { peers[key.family]?.set(key.node, peer) }
    for (role, device) in changes.devices {
      if let device {
        devices[role, default: DeviceState(wanted: device)].wanted = device
        devices[role]?.retryAt = nil
        unwantedDevices.remove(role)
      } else if devices.removeValue(forKey: role) != nil {
        unwantedDevices.insert(role)
        clearDeviceConditions(role)
      }
      areDevicesDue = true
    }
    for (subject, condition) in changes.conditions { journal.set(subject, condition) }
  }

  /// Says which address of this node others send to, by which its interface is found (section 1.6).
  public func setUnderlay(_ address: IPAddress?, _ family: AddressFamily) {
    guard underlays[family] != address else { return }
    underlays[family] = address
    areInterfacesChanged = true
    areDevicesDue = true
  }

  /// Says that what was received so far is everything: from now on the kernel is changed, and a removal that a full
  /// listing asks for counts as such.
  public func receivedEverything() {
    if !isInSync {
      isInSync = true
      for role in [InterfaceRole.ipip, .vxlan(.v4), .vxlan(.v6)] where devices[role] == nil {
        guard let link = configuration.deviceName(role).flatMap({ interfaces[$0] }),
          formerInterfaces.contains(link.index)
        else { continue }
        unwantedDevices.insert(role)
      }
    }
    hasNewSnapshot = true
  }

  /// Takes the operator's word for the removals that are held back.
  public func confirmDeletions() {
    valve.override(removals)
  }

  /// Asks for a full look at the kernel's tables in the next pass, at most one in five seconds (section 2.9).
  public func requestResync(at now: Moment) {
    let earliest = lastResync.map { $0 + .seconds(5) } ?? now
    let due = max(now, earliest)
    resyncDue = resyncDue.map { min($0, due) } ?? due
  }

  private func want(_ route: DesiredRoute?, at key: RouteKey) {
    let old = desired[key]
    guard old != route else { return }
    if let old { count(old, by: -1) }
    if let route { count(route, by: 1) }
    desired[key] = route
    if key.family == .v4 { desiredV4Count += (route == nil ? 0 : 1) - (old == nil ? 0 : 1) }
    pending.insert(key)
    attempts.discard(key)
    guard route == nil else {
      if old == nil { unfinished.insert(key) }
      return
    }
    lost.remove(key)
    strangers.discard(key)
    forced.remove(key)
    unfinished.remove(key)
    held.remove(key)
    disturbances.discard(key)
    clearTrouble(key)
  }

  private func count(_ route: DesiredRoute, by change: Int) {
    guard case .hop(let role, let gateway, _) = route.path else { return }
    let users = rolesInUse.count(role, by: change)
    if users == change, change > 0 { areInterfacesChanged = true }
    guard role.isTunnel, let gateway else { return }
    let hop = TunnelHop(role: role, gateway: gateway)
    if tunnelHops.count(hop, by: change) == 0 { nextHops.release(hop) }
  }

  func clearTrouble(_ key: RouteKey) {
    guard troubled.discard(key) else { return }
    let name = "\(key.destination)"
    for kind in [Condition.Kind.foreign, .refused, .offSubnet] { journal.clear(kind, name) }
  }

  func raise(_ kind: Condition.Kind, _ key: RouteKey, _ message: String) {
    troubled.insert(key)
    journal.raise(kind, "\(key.destination)", message)
  }

  /// A number from 0 up to 1, for jitter.
  func random() -> Double {
    randomState ^= randomState << 13
    randomState ^= randomState >> 7
    randomState ^= randomState << 17
    return Double(randomState >> 11) / Double(UInt64(1) << 53)
  }

  /// The pause after some failures, up to a tenth longer.
  func pause(afterFailures failures: Int, atMost limit: Duration = .seconds(60)) -> Duration {
    Backoff.pause(afterFailures: failures, atMost: limit) * (1 + random() / 10)
  }

  /// What is wrong now.
  public var conditions: [Condition.Subject: Condition] { journal.conditions }

  /// How many routes of a family there are.
  public func counts(_ family: AddressFamily) -> RouteCounts {
    var counts = RouteCounts()
    counts.desired = family == .v4 ? desiredV4Count : desired.count - desiredV4Count
    counts.held = held.count(family)
    counts.failed = unfinished.count(family) - counts.held
    counts.present = counts.desired - unfinished.count(family)
    return counts
  }
}

/// What an interface is like that routes are wanted to leave by.
struct RoleState: Hashable, Sendable {
  var index: InterfaceIndex
  var isUp: Bool
  /// Of a tunnel device: the largest packet, which its routes say too.
  var mtu: UInt32?
}

/// A tunnel device that is wanted, and how it goes.
struct DeviceState: Sendable {
  var wanted: DesiredDevice
  var failures = 0
  var retryAt: Moment?
  /// When it was made lately.
  var creations: [Moment] = []
  /// The device whose checksum offload was seen to.
  var offloadSetFor: InterfaceIndex?
}
