public import IPAddressing
import Netlink

/// Computes what this node should have in the kernel from pools, nodes, claims and what its own links say (routes
/// specification, section 1). Nothing here asks the kernel, a clock or chance: the same inputs come to the same routes,
/// in whatever order they came.
///
/// Every change costs as much as what depends on it: a block its own destinations, a node those that are its own. What
/// is different is collected until ``takeChanges()``.
///
/// Whether nodes are on the link is the kernel's to say. Before changes are taken, what ``unansweredLookups``
/// names is looked up and handed over by ``learn(_:)``; until then such nodes are not taken to be on the link.
public struct RouteComputation: Sendable {
  public let configuration: RoutingConfiguration

  var pools = PoolIndex()
  var nodes: NodeIndex
  var destinations = DestinationIndex()
  var local = LocalNetwork()
  var workloads: Set<CIDR> = []
  private var claims: [CIDR: Claim] = [:]

  private var agenda = Agenda()
  private(set) var lookups = Lookups()
  private var toldRoutes = ToldRoutes()
  private var catchAlls = Tracked<RouteKey, DesiredRoute>()
  var peers = Tracked<TunnelPeerKey, TunnelPeer>()
  var devices = Tracked<InterfaceRole, DesiredDevice>()
  private var conditions = ConditionLedger()
  /// What is reported of other things than destinations, by what it is about.
  private var issues: [String: [ConditionLedger.Issue]] = [:]

  /// How much was computed so far: destinations, nodes and catch-alls, each time they were looked at. For tests of what
  /// a change costs.
  private(set) var work = 0

  /// What has to be looked at again.
  private struct Agenda {
    var destinations: Set<CIDR> = []
    var nodes: Set<String> = []
    /// Prefixes of pools whose catch-alls are concerned.
    var catchAlls: Set<CIDR> = []
    /// Whether pools or this node's own facts, on which tunnel devices depend, have changed.
    var devices = false
  }

  public init(_ configuration: RoutingConfiguration) {
    self.configuration = configuration
    nodes = NodeIndex(localName: configuration.nodeName)
  }
}

// MARK: - Inputs

extension RouteComputation {
  /// Takes changes over, together: what they come to in between is never told.
  public mutating func apply(_ changes: [TopologyChange]) {
    for change in changes {
      switch change {
      case .pool(let name, let pool): apply(pool: name, pool)
      case .node(let name, let node): apply(node: name, node)
      case .claim(let prefix, let claim): apply(claim: prefix, claim)
      }
    }
    settle()
  }

  /// Takes everything anew; only what is different costs more than a comparison.
  public mutating func replace(with topology: Topology) {
    for name in pools.pools.keys.filter({ topology.pools[$0] == nil }) { apply(pool: name, nil) }
    for name in nodes.nodes.keys.filter({ topology.nodes[$0] == nil }) { apply(node: name, nil) }
    for prefix in claims.keys.filter({ topology.claims[$0] == nil }) { apply(claim: prefix, nil) }
    if claims.isEmpty {
      claims.reserveCapacity(topology.claims.count)
      destinations.reserve(topology.claims.count + topology.nodes.count)
    }
    for (name, pool) in topology.pools { apply(pool: name, pool) }
    for (name, node) in topology.nodes { apply(node: name, node) }
    // In ascending order the tree is built, and later walked, from one end of its memory to the other.
    var different: [(prefix: CIDR, claim: Claim)] = []
    for (prefix, claim) in topology.claims where claims[prefix] != claim { different.append((prefix, claim)) }
    different.sort { $0.prefix.address < $1.prefix.address }
    for (prefix, claim) in different { apply(claim: prefix, claim) }
    settle()
  }

  /// Takes over what this machine's own network says, all of it. A parent or an address that changes costs a look at
  /// every destination of the family; answers cost what depends on them.
  public mutating func update(_ network: LocalNetwork) {
    let old = local
    local = network
    for family in AddressFamily.all {
      let (before, after) = (old[family], network[family])
      if before.parent?.index != after.parent?.index || before.parent?.address != after.parent?.address {
        markAll(family)
        agenda.devices = true
      }
      for gateway in before.defaultGateways.symmetricDifference(after.defaultGateways) { markCovering(gateway) }
    }
    for address in old.addresses.symmetricDifference(network.addresses) { markNodes(at: address) }
    if old.reachability != network.reachability {
      let addresses = Set(old.reachability.keys).union(network.reachability.keys)
      for address in addresses where old.reachability[address] != network.reachability[address] { answered(address) }
    }
    settle()
  }

  /// Takes over answers of the kernel, in addition to those that are there.
  public mutating func learn(_ answers: [IPAddress: Reachability]) {
    for (address, answer) in answers where local.reachability[address] != answer {
      local.reachability[address] = answer
      answered(address)
    }
    settle()
  }

  /// Takes over which single addresses pods of this node have routes of their own for, all of them.
  public mutating func update(workloads prefixes: Set<CIDR>) {
    let canonical = Set(prefixes.map(\.canonical))
    let changed = workloads.symmetricDifference(canonical)
    workloads = canonical
    for prefix in changed { mark(prefix) }
    settle()
  }
}

// MARK: - Results

extension RouteComputation {
  /// What is different since this was asked last.
  public mutating func takeChanges() -> DesiredChanges {
    var routes = toldRoutes.take(destinations, key: configuration.key)
    routes.merge(catchAlls.take()) { $1 }
    return DesiredChanges(
      routes: routes, peers: peers.take(), devices: devices.take(), conditions: conditions.take())
  }

  /// Everything that this node should have now.
  public var desired: DesiredNetwork {
    var routes = catchAlls.current
    destinations.tree.forEach { routes[configuration.key($0)] = $1.route }
    return DesiredNetwork(
      routes: routes,
      peers: peers.current,
      devices: devices.current,
      conditions: conditions.conditions.current)
  }

  /// The addresses of other nodes whose lookup in the kernel routes depend on, answered or not.
  public var wantedLookups: Set<IPAddress> { lookups.wanted }

  /// Those of ``wantedLookups`` that there is no answer for.
  public var unansweredLookups: Set<IPAddress> { lookups.unanswered }

  /// What becomes of a destination, and why. One that nothing speaks of is decided as well: it has no route.
  public func decision(for destination: CIDR) -> RouteDecision {
    let prefix = destination.canonical
    guard let entry = destinations.tree[prefix] else { return RouteDecision(prefix) }
    return decide(prefix, entry).decision
  }

  /// What becomes of every destination, IPv4 first, in ascending order.
  public var decisions: [RouteDecision] {
    var decisions: [RouteDecision] = []
    destinations.tree.forEach { prefix, entry in
      let decision = decide(prefix, entry).decision
      if decision.owner != nil { decisions.append(decision) }
    }
    return decisions
  }
}

// MARK: - What depends on what

extension RouteComputation {
  private mutating func apply(pool name: String, _ pool: RoutingPool?) {
    let prefixes = pools.update(name, pool)
    guard !prefixes.isEmpty else { return }
    for prefix in prefixes {
      markWithin(prefix)
      agenda.catchAlls.insert(prefix)
    }
    agenda.devices = true
  }

  private mutating func apply(node name: String, _ node: RoutingNode?) {
    let old = nodes.nodes[name]
    guard old != node else { return }
    let effects = nodes.update(name, node)
    for address in effects.addresses {
      mark(CIDR(host: address))
      markCovering(address)
    }
    for other in effects.nodes.union([name]) { mark(node: other) }
    setTunnelStatements(name, old, node)
    if configuration.mode == .podCIDRs { setRanges(name, old, node) }
    if name == configuration.nodeName {
      agenda.devices = true
      // Which nodes are on the same subnet, and which have an address of this node's, is measured by this node's own.
      let isSame = old?.v4 == node?.v4 && old?.v6 == node?.v6 && effects.addresses.isEmpty
      if !isSame || old?.ipipTunnelAddress != node?.ipipTunnelAddress {
        for family in AddressFamily.all { markAll(family) }
      }
    }
    // With the first node and without the last one, it begins or ends to matter that this node is not among them.
    if nodes.nodes.count <= 1 { agenda.devices = true }
  }

  private mutating func setTunnelStatements(_ name: String, _ old: RoutingNode?, _ new: RoutingNode?) {
    guard name != configuration.nodeName else { return }
    func statements(_ node: RoutingNode?) -> [Named] {
      guard let node else { return [] }
      var statements: [Named] = []
      func add(_ address: IPAddress?, _ tunnel: Statement.Tunnel) {
        guard let address else { return }
        statements.append(Named(CIDR(host: address), Statement(source: .tunnel(tunnel), owner: name)))
      }
      for family in AddressFamily.all { add(node.usableTunnelAddress(family), .vxlan) }
      add(node.usableIPIPAddress(configuration.mode), .ipip)
      return statements
    }
    let (before, after) = (statements(old), statements(new))
    for named in after where !before.contains(named) { add(named.statement, to: named.destination) }
    for named in before where !after.contains(named) { remove(named.statement, from: named.destination) }
  }

  private mutating func setRanges(_ name: String, _ old: RoutingNode?, _ new: RoutingNode?) {
    let before = Set(Claims.ranges(old?.podCIDRs ?? [], of: name).keys)
    let after = Set(Claims.ranges(new?.podCIDRs ?? [], of: name).keys)
    let statement = Statement(source: .range, owner: name)
    for range in after.subtracting(before) { add(statement, to: range) }
    for range in before.subtracting(after) { remove(statement, from: range) }
    for range in before.symmetricDifference(after) { countBlock(range, after.contains(range) ? 1 : -1) }
  }

  private mutating func apply(claim prefix: CIDR, _ claim: Claim?) {
    let old = claims[prefix]
    guard old != claim else { return }
    claims[prefix] = claim
    let (block, source) = (prefix.canonical, Statement.Source.claim(prefix))
    var outside: [String] = []
    var difference: Int32 = claim == nil ? -1 : old == nil ? 1 : 0
    claim?.forEach { destination, owner in
      if !block.contains(destination) {
        outside.append("\(destination)")
      } else if old?.owner(of: destination) != owner {
        let destination = destination.canonical
        // What it says of itself and that it is there: as a rule, that is all that is new.
        let blocks = destination == block ? difference : 0
        add(Statement(source: source, owner: owner), to: destination, blocks: blocks)
        difference -= blocks
      }
    }
    old?.forEach { destination, owner in
      guard claim?.owner(of: destination) != owner, block.contains(destination) else { return }
      remove(Statement(source: source, owner: owner), from: destination.canonical)
    }
    if difference != 0 { countBlock(block, difference) }
    report(
      "claim \(prefix)",
      outside.sorted().map { destination in
        .init(
          .malformed, block.description,
          "block \(block) names a node for \(destination), which is not in it: that is left out; repair the block")
      })
  }

  /// A statement, and the destination that it is about.
  private struct Named: Equatable {
    var destination: CIDR
    var statement: Statement

    init(_ destination: CIDR, _ statement: Statement) {
      self.destination = destination
      self.statement = statement
    }
  }

  private mutating func add(_ statement: Statement, to destination: CIDR, blocks: Int32 = 0) {
    let isBlock = destinations.add(statement, to: destination, blocks: blocks)
    changed(destination, isBlock: isBlock)
  }

  private mutating func remove(_ statement: Statement, from destination: CIDR) {
    let isBlock = destinations.remove(statement, from: destination)
    changed(destination, isBlock: isBlock)
  }

  private mutating func changed(_ destination: CIDR, isBlock: Bool) {
    // What is within it is more than itself only where it is a block of several addresses.
    if isBlock, destination.hostBits > 0 { markWithin(destination) } else { mark(destination) }
  }

  /// Counts a block or range. Whose it is, and that it is there, matters to what is inside: addresses on tunnels need
  /// routes of their own or not, and blocks in blocks of others are mistakes.
  private mutating func countBlock(_ block: CIDR, _ difference: Int32) {
    destinations.countBlock(block, difference)
    markWithin(block)
  }

  private mutating func answered(_ address: IPAddress) {
    lookups.setAnswered(address, local.reachability[address] != nil)
    markNodes(at: address)
  }

  private mutating func markNodes(at address: IPAddress) {
    nodes.underlays[CIDR(host: address)]?.forEach { name in
      agenda.destinations.formUnion(destinations.destinations(of: name))
    }
  }

  /// Marks a destination, if it is one: that shows when it is looked at.
  private mutating func mark(_ destination: CIDR) { agenda.destinations.insert(destination) }

  private mutating func mark(node name: String) {
    agenda.nodes.insert(name)
    agenda.destinations.formUnion(destinations.destinations(of: name))
  }

  private mutating func markWithin(_ prefix: CIDR) {
    destinations.tree.forEach(within: prefix) { destination, _ in
      agenda.destinations.insert(destination)
      return true
    }
  }

  /// What an address is in: destinations and catch-alls that would lead its packets astray.
  private mutating func markCovering(_ address: IPAddress) {
    destinations.tree.forEach(containing: CIDR(host: address)) { destination, _ in
      agenda.destinations.insert(destination)
    }
    agenda.catchAlls.formUnion(pools.prefixes(containing: address))
  }

  private mutating func markAll(_ family: AddressFamily) {
    destinations.tree.forEach { destination, _ in
      if destination.address.family == family { agenda.destinations.insert(destination) }
    }
    agenda.nodes.formUnion(nodes.nodes.keys)
  }
}

// MARK: - Looking again

extension RouteComputation {
  private mutating func settle() {
    let agenda = agenda
    self.agenda = Agenda()
    for destination in agenda.destinations.sorted(by: { $0.address < $1.address }) { settle(destination) }
    for prefix in agenda.catchAlls { settleCatchAll(prefix) }
    var names = agenda.nodes
    if agenda.devices {
      report("pools", pools.issues)
      if settleDevices() { names.formUnion(nodes.nodes.keys) }
      report("this node", localIssues)
    }
    for name in names {
      work += 1
      settlePeers(name)
      report("node \(name)", nodeIssues(name))
    }
  }

  private mutating func settle(_ destination: CIDR) {
    guard let entry = destinations.tree[destination] else { return }
    work += 1
    let verdict = decide(destination, entry)
    let (route, issues) = (verdict.decision.route, verdict.decision.issues)
    if entry.route != route { toldRoutes.note(destination, was: entry.route) }
    if entry.lookup != verdict.lookup {
      if let address = verdict.lookup { lookups.count(address, 1, isAnswered: local.reachability[address] != nil) }
      if let address = entry.lookup { lookups.count(address, -1, isAnswered: local.reachability[address] != nil) }
    }
    conditions.replace(entry.issues, with: issues)
    destinations.settle(destination, entry, route, lookup: verdict.lookup, issues: issues)
  }

  /// A route that refuses what is in a pool and nowhere else.
  private mutating func settleCatchAll(_ prefix: CIDR) {
    work += 1
    // Somebody who wants this metric for all routes has no place for a catch-all: its key may be a block's.
    guard configuration.metric(prefix.address.family) != Self.catchAllMetric else { return }
    var route: DesiredRoute?
    var issues: [ConditionLedger.Issue] = []
    if configuration.poolCatchAll,
      let routeClass = pools.pool(of: prefix)?.routeClass, configuration.classes.contains(routeClass)
    {
      if let covered = covered(by: prefix) {
        var decision = RouteDecision(prefix)
        decision.reason = covered
        issues = decision.issues
      } else {
        route = DesiredRoute(.unreachable, owner: "", claim: prefix)
      }
    }
    catchAlls.set(RouteKey(prefix, table: configuration.routeTable, metric: Self.catchAllMetric), route)
    report("catch-all \(prefix)", issues)
  }

  private mutating func report(_ about: @autoclosure () -> String, _ new: [ConditionLedger.Issue]) {
    // Nearly always there is nothing, and was nothing.
    guard !new.isEmpty || !issues.isEmpty else { return }
    let about = about()
    conditions.replace(issues[about] ?? [], with: new)
    issues[about] = new.isEmpty ? nil : new
  }

  /// The metric of catch-alls, above that of any other route.
  static let catchAllMetric: UInt32 = 2_147_483_646
}
