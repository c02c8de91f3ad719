import IPAddressing
public import Netlink

/// Routing of one node: what the source of routes tells becomes what is wanted, and the kernel is made to follow.
///
/// One thread uses it. It has nothing to do between what it is told and the moment that ``pass(at:)`` names.
public final class NodeRouting<K: Kernel> {
  private let kernel: K
  private let configuration: RoutingConfiguration
  public private(set) var computation: RouteComputation
  let reconciler: Reconciler<K>

  private var localNode: RoutingNode?
  private var hasTopology = false
  private var hasNewSnapshot = false
  /// A listing that was told and not yet computed: that is done once, when the network is known.
  private var listing: Topology?
  /// When the first of what was told and not yet taken over came, and when it is taken over.
  private var inputs: (first: Moment, due: Moment)?
  private var network = LocalNetwork()
  private var networkGeneration: UInt64?
  private var isNetworkStale = true
  /// When the loss of an address is believed (section 2.7).
  private var lossDue: [AddressFamily: Moment] = [:]
  private var workloads: WorkloadRoutes
  private var knowsWorkloads = false
  private var startDue: Moment?
  private var startFailures = 0
  private let settings: HostSettings
  private var settingsDue: Moment?

  /// Routing that knows nothing yet.
  ///
  /// - Parameters:
  ///   - configuration: how to route.
  ///   - kernel: the tables to keep right.
  ///   - kernelVersion: decides on checksum offload; nil when it is not known.
  ///   - settings: of this machine, which are looked at.
  ///   - acceptedDeviceKinds: kinds that pass for an IPIP device, for tests on kernels that make none.
  ///   - seed: of the jitter.
  public init(
    _ configuration: RoutingConfiguration,
    kernel: K,
    kernelVersion: KernelVersion? = .running(),
    settings: HostSettings = .unknown,
    acceptedDeviceKinds: Set<String> = [],
    seed: UInt64 = .random(in: 0...UInt64.max)
  ) {
    self.configuration = configuration
    self.kernel = kernel
    self.settings = settings
    computation = RouteComputation(configuration)
    reconciler = Reconciler(
      configuration, kernel: kernel, kernelVersion: kernelVersion, acceptedDeviceKinds: acceptedDeviceKinds, seed: seed)
    workloads = WorkloadRoutes(configuration.workloadInterfacePrefixes)
    reconciler.eventReader = { [unowned self] now throws(NetlinkError) in try takeEvents(at: now) }
  }

  /// Takes over what the source tells. It counts from the next pass on that is late enough: changes that come together
  /// are programmed together (section 2.5).
  public func receive(_ event: RouteSourceEvent, at now: Moment) {
    switch event {
    case .snapshot(let topology):
      listing = topology
      localNode = topology.nodes[configuration.nodeName]
      hasTopology = true
      hasNewSnapshot = true
      sourceWorks()
    case .changes(let changes):
      computeListing()
      computation.apply(changes)
      for case .node(configuration.nodeName, let node) in changes { localNode = node }
      sourceWorks()
    case .interrupted(let reason):
      report(.sourceInterrupted, "source", "\(reason); routes stay as they are until the source can be read again")
      return
    case .fault(let object, let reason):
      report(.malformed, object, reason.map { "\(object) is left out: \($0)" })
      return
    }
    let first = inputs?.first ?? now
    inputs = (first, min(first + .milliseconds(100), now + .milliseconds(10)))
  }

  private func computeListing() {
    guard let topology = listing else { return }
    listing = nil
    computation.replace(with: topology)
  }

  private func sourceWorks() { report(.sourceInterrupted, "source", nil) }

  private func report(_ kind: Condition.Kind, _ name: String, _ message: String?) {
    reconciler.receive(
      DesiredChanges(conditions: [Condition.Subject(kind, name): message.map { Condition($0) }]))
  }

  /// Does all that is due: takes events and inputs over, and makes the kernel follow.
  public func pass(at now: Moment) -> ReconcileReport {
    guard start(at: now) else {
      var report = reconciler.pass(at: now)
      report.nextWake = startDue
      return report
    }
    do throws(NetlinkError) {
      try takeEvents(at: now)
      if isTakeoverDue(at: now) { try takeInputs(at: now) }
    } catch {
      isNetworkStale = true
      reconciler.failed(error, at: now)
    }
    lookAtSettings(at: now)
    var report = reconciler.pass(at: now)
    // Devices and their addresses may have been made.
    let times =
      [report.nextWake, inputs?.due] + lossDue.values.map { $0 } + [reconciler.isUnsure ? nil : staleWake(now)]
    report.nextWake = times.compactMap(\.self).min()
    return report
  }

  /// Looks at this machine's settings when a pass comes along, but not at every one.
  private func lookAtSettings(at now: Moment) {
    guard reconciler.isInSync, settingsDue.map({ $0 <= now }) ?? true else { return }
    settingsDue = now + .seconds(30)
    let families = Set([AddressFamily.v4, .v6].filter { network[$0].parent != nil })
    let tunnels = [configuration.ipipDevice, configuration.vxlanDeviceV4].filter { reconciler.interfaces[$0] != nil }
    let parents = [network.v4.parent, network.v6.parent].compactMap { $0?.name }
    reconciler.receive(
      DesiredChanges(conditions: settings.conditions(families, interfaces: Set(parents + tunnels).sorted())))
  }

  private func staleWake(_ now: Moment) -> Moment? {
    hasTopology && (isNetworkStale || networkGeneration != reconciler.networkGeneration) ? now + .milliseconds(1) : nil
  }

  /// The first look at the kernel, until it succeeds.
  private func start(at now: Moment) -> Bool {
    if reconciler.isStarted { return true }
    guard startDue.map({ $0 <= now }) ?? true else { return false }
    do throws(NetlinkError) {
      try reconciler.start(at: now)
      return true
    } catch {
      startFailures += 1
      startDue = now + reconciler.pause(afterFailures: startFailures, atMost: .seconds(30))
      report(
        .refused, Reconciler<K>.exchange, "\(error.attempt) failed; nothing is changed before the tables can be read")
      return false
    }
  }

  private func takeEvents(at now: Moment) throws(NetlinkError) {
    let events = try kernel.events()
    guard !events.isEmpty else { return }
    var areWorkloadsChanged = false
    for event in events {
      switch event {
      case .overflow:
        isNetworkStale = true
        knowsWorkloads = false
      case .route(let route, _), .routeGone(let route):
        // Other routes than the default one seldom lead to nodes, and pods' never do.
        if route.key.destination.prefixLength == 0 { isNetworkStale = true }
      default: break
      }
      reconciler.receive([event], at: now)
      if knowsWorkloads, workloads.receive(event, interfaces: reconciler.interfaces) { areWorkloadsChanged = true }
    }
    guard areWorkloadsChanged else { return }
    computation.update(workloads: workloads.destinations)
    inputs = inputs ?? (now, now)
  }

  private func isTakeoverDue(at now: Moment) -> Bool {
    guard hasTopology else { return false }
    if let inputs, inputs.due <= now { return true }
    return isNetworkStale || networkGeneration != reconciler.networkGeneration || lossDue.values.contains { $0 <= now }
  }

  /// Computes what is wanted from all that is known, and tells the reconciler.
  private func takeInputs(at now: Moment) throws(NetlinkError) {
    inputs = nil
    for family in [AddressFamily.v4, .v6] {
      reconciler.setUnderlay(localNode?[family].underlay?.address, family)
    }
    try updateNetwork(at: now)
    var changes = computation.takeChanges()
    if !knowsWorkloads, changes.haveRemoteAddresses || !workloads.destinations.isEmpty {
      try lookAtWorkloads()
      changes.override(with: computation.takeChanges())
    }
    reconciler.receive(changes)
    guard hasNewSnapshot else { return }
    hasNewSnapshot = false
    reconciler.receivedEverything()
  }

  /// Finds out how other nodes are reached. What is asked of the kernel is kept until an interface, an address or a
  /// default route changes.
  private func updateNetwork(at now: Moment) throws(NetlinkError) {
    let isStale = isNetworkStale || networkGeneration != reconciler.networkGeneration
    var next = network
    next.addresses = reconciler.interfaces.allAddresses
    for family in [AddressFamily.v4, .v6] {
      next[family].parent = parent(family, at: now)
      if isStale { next[family].defaultGateways = try defaultGateways(family) }
    }
    if isStale {
      next.reachability = try lookUp(computation.wantedLookups.union(listing?.likelyLookups ?? []))
      networkGeneration = reconciler.networkGeneration
      isNetworkStale = false
    }
    if next != network {
      network = next
      computation.update(network)
    }
    computeListing()
    // One answer may raise another question.
    for _ in 0..<4 where !computation.unansweredLookups.isEmpty {
      let answers = try lookUp(computation.unansweredLookups)
      network.reachability.merge(answers) { $1 }
      computation.learn(answers)
    }
  }

  /// The interface with this node's own address. One that is lost is missed only after a moment: DHCP clients take
  /// addresses away and give them back at once.
  private func parent(_ family: AddressFamily, at now: Moment) -> LocalNetwork.Parent? {
    let found = localNode?[family].underlay.flatMap { reconciler.interfaces.interface(with: $0.address) }
    if let found, let address = CIDR(found.address.address, prefixLength: found.address.prefixLength) {
      lossDue[family] = nil
      return LocalNetwork.Parent(
        index: found.link.index, name: found.link.name, mtu: found.link.mtu, address: address)
    }
    guard let old = network[family].parent, old.address.address == localNode?[family].underlay?.address else {
      lossDue[family] = nil
      return nil
    }
    let due = lossDue[family] ?? now + .milliseconds(100)
    guard due > now else {
      lossDue[family] = nil
      return nil
    }
    lossDue[family] = due
    return old
  }

  /// The router of the default route, which an address for documentation alone (RFC 5737, RFC 3849) is sent to.
  private func defaultGateways(_ family: AddressFamily) throws(NetlinkError) -> Set<IPAddress> {
    let probe = family == .v4 ? IPAddress(v4: 0xC000_0201) : IPAddress(v6: 0x2001_0DB8 << 96 | 1)
    guard case .hop(let hop) = try kernel.lookUp(probe), let gateway = hop.gateway else { return [] }
    return [gateway]
  }

  private func lookUp(_ addresses: Set<IPAddress>) throws(NetlinkError) -> [IPAddress: Reachability] {
    var answers: [IPAddress: Reachability] = [:]
    for address in addresses { answers[address] = Reachability(try kernel.lookUp(address)) }
    return answers
  }

  private func lookAtWorkloads() throws(NetlinkError) {
    var routes: [Route] = []
    for family in [AddressFamily.v4, .v6] {
      routes += try kernel.routes(family, table: configuration.routeTable, origin: nil)
    }
    workloads.replace(with: routes, interfaces: reconciler.interfaces)
    knowsWorkloads = true
    computation.update(workloads: workloads.destinations)
  }

  // MARK: Commands

  /// Asks for a full look at the kernel's tables.
  public func requestResync(at now: Moment) { reconciler.requestResync(at: now) }

  /// Takes the operator's word for removals that are held back.
  public func confirmDeletions() { reconciler.confirmDeletions() }

  /// What there should be and what there is, with the reasons. Nothing is changed.
  public func explainedPlan(at now: Moment) throws(NetlinkError) -> NodePlan {
    let routes = try plan(at: now)
    return NodePlan(routes: routes, decisions: computation.decisions, conditions: reconciler.conditions)
  }

  /// What there should be and what there is. Nothing is changed.
  public func plan(at now: Moment) throws(NetlinkError) -> [PlannedRoute] {
    if !reconciler.isStarted { try reconciler.start(at: now) }
    try takeEvents(at: now)
    if hasTopology { try takeInputs(at: now) }
    return try reconciler.plan()
  }

  /// Removes exactly what is ours.
  public func cleanup(at now: Moment) throws(NetlinkError) -> CleanupReport { try reconciler.cleanup(at: now) }

  /// How it goes.
  public var status: RoutingStatus {
    var status = RoutingStatus()
    status.isInSync = reconciler.isInSync && !reconciler.isUnsure
    status.v4 = reconciler.counts(.v4)
    status.v6 = reconciler.counts(.v6)
    status.conditions = reconciler.conditions
    status.statistics = reconciler.statistics
    return status
  }
}

extension DesiredChanges {
  /// Whether single addresses of other nodes are routed, which pods of this node might have as well.
  fileprivate var haveRemoteAddresses: Bool {
    routes.contains { key, route in
      guard key.destination.hostBits == 0, case .hop = route?.path else { return false }
      return true
    }
  }

  /// Takes over what came later.
  fileprivate mutating func override(with later: DesiredChanges) {
    routes.merge(later.routes) { $1 }
    peers.merge(later.peers) { $1 }
    devices.merge(later.devices) { $1 }
    conditions.merge(later.conditions) { $1 }
  }
}

extension Topology {
  /// The addresses that are most likely to be looked up: asked before anything is computed, their answers need not be
  /// computed with a second time.
  fileprivate var likelyLookups: Set<IPAddress> {
    var addresses: Set<IPAddress> = []
    for family in [AddressFamily.v4, .v6] {
      let isNeeded = pools.values.contains {
        $0.cidr.address.family == family && $0.vxlan != .always && $0.ipip != .always
      }
      guard isNeeded || pools.isEmpty else { continue }
      for node in nodes.values {
        if let address = node[family].underlay?.address { addresses.insert(address) }
      }
    }
    return addresses
  }
}
