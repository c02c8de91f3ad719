import IPAddressing
import Netlink

/// Which rule decides about a destination (routes specification, sections 1.3 to 1.7): reads, and changes nothing.
extension RouteComputation {
  /// A decision, and the address whose lookup it rests on or waits for.
  struct Verdict {
    var decision: RouteDecision
    var lookup: IPAddress?
  }

  func decide(_ destination: CIDR, _ entry: Destination) -> Verdict {
    let found = pools.pool(containing: destination)
    var verdict = Verdict(decision: owner(of: destination, entry, found?.pool))
    guard verdict.decision.owner != nil else { return verdict }
    verdict.decision.pool = found?.name
    verdict.decision.isCrossSubnet = found?.pool.isCrossSubnet ?? false
    switch found?.pool.classification {
    case .routed(let routeClass): verdict.decision.routeClass = routeClass
    case .loadBalancers: verdict.decision.reason = .loadBalancers
    case .ipipOverIPv6: verdict.decision.reason = .ipipOverIPv6
    case nil where configuration.mode == .podCIDRs: verdict.decision.routeClass = .unencapsulated
    case nil: verdict.decision.reason = .noPool
    }
    guard let routeClass = verdict.decision.routeClass else { return verdict }
    guard configuration.classes.contains(routeClass) else {
      verdict.decision.reason = .classNotProgrammed
      return verdict
    }
    if verdict.decision.owner == configuration.nodeName {
      decideOwn(&verdict.decision)
    } else {
      decideRemote(&verdict, routeClass)
    }
    return verdict
  }

  // MARK: - Whose it is

  /// The node that has a destination. When several are named, this node goes first, so that it never sends its own
  /// addresses away; then who knows best; and then a name that all nodes agree on. A block inside another's is
  /// the one that the kernel would follow, and a mistake all the same.
  private func owner(of destination: CIDR, _ entry: Destination, _ pool: RoutingPool?) -> RouteDecision {
    var first: Statement?
    var others: [Statement] = []
    entry.statements.forEach { statement in
      guard counts(statement, destination, pool) else { return }
      guard let other = first else {
        first = statement
        return
      }
      first = Self.precedes(statement, other, configuration.nodeName) ? statement : other
      others.append(Self.precedes(statement, other, configuration.nodeName) ? other : statement)
    }
    guard let first else { return RouteDecision(destination) }
    var contradictions = others.isEmpty ? [] : contradictions(to: first, others, destination)
    for outer in entry.blocks > 0 ? destinations.blocks(around: destination) : [] {
      guard let other = host(of: outer.entry), other != first.owner else { continue }
      contradictions.append(.init(owner: other, claim: outer.prefix))
    }
    let claim =
      claim(of: first, destination) ?? destinations.block(containing: destination.address)?.prefix ?? destination
    return RouteDecision(destination, owner: first.owner, claim: claim, contradictions: contradictions)
  }

  private func contradictions(
    to first: Statement, _ others: [Statement], _ destination: CIDR
  ) -> [RouteDecision.Contradiction] {
    var contradictions: [RouteDecision.Contradiction] = []
    let others = others.filter { $0.owner != first.owner }
    if others.isEmpty { return [] }
    // A closure that took all of this value along would copy it for each comparison.
    let localName = configuration.nodeName
    for other in others.sorted(by: { Self.precedes($0, $1, localName) }) {
      guard !contradictions.contains(where: { $0.owner == other.owner }) else { continue }
      contradictions.append(.init(owner: other.owner, claim: claim(of: other, destination)))
    }
    return contradictions
  }

  private static func precedes(_ left: Statement, _ right: Statement, _ localName: String) -> Bool {
    let (leftIsLocal, rightIsLocal) = (left.owner == localName, right.owner == localName)
    return leftIsLocal == rightIsLocal ? (left.rank, left.owner) < (right.rank, right.owner) : leftIsLocal
  }

  private func claim(of statement: Statement, _ destination: CIDR) -> CIDR? {
    switch statement.source {
    case .claim(let claim): claim.canonical
    case .range: destination
    case .tunnel: nil
    }
  }

  /// Whether a statement has a say. A node's address on a tunnel needs a route of its own only if it is on a tunnel of
  /// the pool's kind, and the route of the block would not lead there: the address is borrowed, or a block by itself.
  private func counts(_ statement: Statement, _ destination: CIDR, _ pool: RoutingPool?) -> Bool {
    guard case .tunnel(let tunnel) = statement.source else { return true }
    switch (tunnel, pool?.routeClass) {
    case (.vxlan, .vxlan), (.ipip, .ipip): break
    default: return false
    }
    guard let block = destinations.block(containing: destination.address) else { return false }
    return block.prefix == destination || host(of: block.entry) != statement.owner
  }

  /// The node that a block belongs to.
  private func host(of block: Destination) -> String? {
    var host: Statement?
    block.statements.forEach { statement in
      if case .tunnel = statement.source { return }
      if let other = host, !Self.precedes(statement, other, configuration.nodeName) { return }
      host = statement
    }
    return host?.owner
  }

  // MARK: - Where it goes

  private func decideOwn(_ decision: inout RouteDecision) {
    // A blackhole for a single address would keep the plugin from adding the pod's route.
    guard decision.destination.hostBits > 0 else {
      decision.reason = .ownAddress
      return
    }
    guard configuration.mode == .blocks || configuration.podCIDRBlackhole else {
      decision.reason = .ownRange
      return
    }
    if let covered = covered(by: decision.destination) {
      decision.reason = covered
      return
    }
    decision.settle(.ownBlock, .blackhole)
  }

  private func decideRemote(_ verdict: inout Verdict, _ routeClass: RoutingConfiguration.RouteClass) {
    let destination = verdict.decision.destination
    let family = destination.address.family
    guard let owner = verdict.decision.owner, !owner.hasPrefix(Self.virtualPrefix) else {
      verdict.decision.reason = .virtualOwner
      return
    }
    if destination.hostBits == 0, let node = nodes.host(destination.address) {
      verdict.decision.reason = .hostAddress(of: node)
    } else if destination.hostBits == 0, workloads.contains(destination) {
      verdict.decision.reason = .localWorkload
    } else if nodes.nodes[owner] == nil {
      verdict.decision.reason = .unknownNode
    } else if let underlay = nodes.underlay(owner, family) {
      guard !isOwn(underlay) else {
        verdict.decision.reason = .ownUnderlay(underlay)
        return
      }
      switch routeClass {
      case .unencapsulated: decideUnencapsulated(&verdict, underlay)
      case .vxlan, .ipip: decideEncapsulated(&verdict, routeClass, owner, underlay)
      }
    } else {
      verdict.decision.reason = .noUnderlay
    }
  }

  private func decideUnencapsulated(_ verdict: inout Verdict, _ underlay: IPAddress) {
    let parent = InterfaceRole.parent(underlay.family)
    guard configuration.offSubnetPolicy != .onlink else {
      verdict.decision.settle(.assumedOnLink, .hop(parent, gateway: underlay, isOnLink: true))
      return
    }
    // The kernel's word alone: with no tunnel to fall back to, a node that is on the link is on the link, whatever
    // lengths the datastore has.
    if local[underlay.family].parent != nil { verdict.lookup = underlay }
    switch (local.nearness(underlay), configuration.offSubnetPolicy) {
    case (.near, _):
      verdict.decision.settle(.direct, .hop(parent, gateway: underlay, isOnLink: true))
    case (.here, _):
      verdict.decision.reason = .ownUnderlay(underlay)
    case (.far(.router(let router, let interface)), .viaRouter):
      let role = local[underlay.family].parent?.index == interface ? parent : .interface(interface)
      verdict.decision.settle(.viaRouter, .hop(role, gateway: router, isOnLink: false))
    case (.far(.otherInterface(let interface)), .viaRouter):
      verdict.decision.settle(.viaRouter, .hop(.interface(interface), gateway: underlay, isOnLink: false))
    case (.far(let distance), _):
      verdict.decision.reason = .offSubnet(distance)
    }
  }

  private func decideEncapsulated(
    _ verdict: inout Verdict,
    _ routeClass: RoutingConfiguration.RouteClass,
    _ owner: String,
    _ underlay: IPAddress
  ) {
    let destination = verdict.decision.destination
    let family = underlay.family
    let tunnelAddress = tunnelAddress(of: owner, routeClass, family)
    let isToTunnelAddress = destination == tunnelAddress.map { CIDR(host: $0) }
    var reason = RouteDecision.Reason.tunnelAlways
    if verdict.decision.isCrossSubnet {
      switch sameSubnet(underlay, &verdict.lookup) {
      case .near:
        let path = DesiredRoute.Path.hop(.parent(family), gateway: underlay, isOnLink: true)
        verdict.decision.settle(.direct, path, isToTunnelAddress: isToTunnelAddress)
        return
      case .here:
        verdict.decision.reason = .ownUnderlay(underlay)
        return
      case .far(let distance):
        reason = .tunnelAcross(distance)
      }
    }
    if let covered = covered(by: destination) {
      verdict.decision.reason = covered
      return
    }
    guard routeClass == .vxlan else {
      let path = DesiredRoute.Path.hop(.ipip, gateway: underlay, isOnLink: true)
      verdict.decision.settle(reason, path, isToTunnelAddress: isToTunnelAddress)
      return
    }
    switch nodes.tunnelEnd(owner, family) {
    case .failure(let missing):
      verdict.decision.reason = .noTunnelEnd(missing.words(owner, family))
    case .success(let end):
      // The address of the other end itself has no gateway: it is on the tunnel's link.
      let path = DesiredRoute.Path.hop(
        .vxlan(family), gateway: isToTunnelAddress ? nil : end.tunnelAddress, isOnLink: !isToTunnelAddress)
      verdict.decision.settle(reason, path, isToTunnelAddress: isToTunnelAddress)
    }
  }

  // MARK: - Tests

  /// Whether a node is on this node's subnet: by configuration, and by the kernel's word.
  private func sameSubnet(_ underlay: IPAddress, _ lookup: inout IPAddress?) -> Nearness {
    guard let own = nodes.local?[underlay.family].underlay, own.address.family == underlay.family else {
      return .far(.ownAddressUnknown)
    }
    let subnet = local.subnet(configured: own)
    guard subnet.contains(underlay) else { return .far(.otherSubnet(subnet)) }
    if local[underlay.family].parent != nil { lookup = underlay }
    return local.nearness(underlay)
  }

  private func isOwn(_ address: IPAddress) -> Bool {
    nodes.isLocal(address) || local.addresses.contains(address)
      || address == local[address.family].parent?.address.address
  }

  /// What must stay reachable and is in a prefix: a node's underlay address, or a default router.
  func covered(by destination: CIDR) -> RouteDecision.Reason? {
    if let (address, node) = nodes.underlay(within: destination) { return .covers(address, of: node) }
    let gateways = local[destination.address.family].defaultGateways.filter(destination.contains)
    return gateways.min().map { .covers($0, of: nil) }
  }

  private func tunnelAddress(
    of node: String, _ routeClass: RoutingConfiguration.RouteClass, _ family: AddressFamily
  ) -> IPAddress? {
    switch routeClass {
    case .vxlan: nodes.nodes[node]?.usableTunnelAddress(family)
    case .ipip: family == .v4 ? nodes.nodes[node]?.usableIPIPAddress(configuration.mode) : nil
    case .unencapsulated: nil
    }
  }

  /// How the names of owners begin that are no nodes (routes specification, section 0).
  private static let virtualPrefix = "virtual:"
}

extension RouteDecision {
  fileprivate mutating func settle(_ reason: Reason, _ path: DesiredRoute.Path, isToTunnelAddress: Bool = false) {
    self.reason = reason
    guard let owner, let claim else { return }
    route = DesiredRoute(path, owner: owner, claim: claim, isToTunnelAddress: isToTunnelAddress)
  }
}
