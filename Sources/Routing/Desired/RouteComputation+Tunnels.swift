import IPAddressing
import Netlink

/// Tunnel devices and the other ends of tunnels (routes specification, sections 4.1, 4.4 and 4.5).
extension RouteComputation {
  /// Whether a tunnel device is needed: there is a pool whose routes lead through it.
  private func isNeeded(_ role: InterfaceRole) -> Bool {
    let (routeClass, family): (RoutingConfiguration.RouteClass, AddressFamily)
    switch role {
    case .ipip: (routeClass, family) = (.ipip, .v4)
    case .vxlan(let of): (routeClass, family) = (.vxlan, of)
    case .parent, .interface: return false
    }
    guard configuration.classes.contains(routeClass) else { return false }
    return pools.pools.values.contains { $0.routeClass == routeClass && $0.cidr.address.family == family }
  }

  /// Sets the devices anew; returns whether other devices than before are needed.
  mutating func settleDevices() -> Bool {
    let before = devices.current.keys
    let own = nodes.local
    for role in [InterfaceRole.ipip, .vxlan(.v4), .vxlan(.v6)] {
      guard isNeeded(role) else {
        devices.set(role, nil)
        continue
      }
      guard case .vxlan(let family) = role else {
        devices.set(role, DesiredDevice(address: own?.usableIPIPAddress(configuration.mode)))
        continue
      }
      let named = own?.usableHardwareAddress(configuration.nodeName, family)
      devices.set(
        role,
        DesiredDevice(
          address: own?.usableTunnelAddress(family),
          underlay: own?.usableUnderlay(family),
          hardwareAddress: named ?? .tunnel(of: configuration.nodeName, family)))
    }
    return Set(before) != Set(devices.current.keys)
  }

  /// Sets the ends of tunnels at another node: all nodes', same subnet or not, so that a change of the pool's mode or a
  /// borrowed address finds them there (section 1.10).
  mutating func settlePeers(_ name: String) {
    for family in AddressFamily.all {
      var peer: TunnelPeer?
      if name != configuration.nodeName, devices.current[.vxlan(family)] != nil {
        peer = try? nodes.tunnelEnd(name, family).get()
      }
      peers.set(TunnelPeerKey(node: name, family: family), peer)
    }
  }

  /// What is wrong with a node by itself, and with its ends of tunnels beside those of others.
  func nodeIssues(_ name: String) -> [ConditionLedger.Issue] {
    guard let node = nodes.nodes[name] else { return [] }
    var issues = node.issues(name)
    guard name != configuration.nodeName else { return issues }
    for family in AddressFamily.all where devices.current[.vxlan(family)] != nil {
      guard case .failure(let missing) = nodes.tunnelEnd(name, family) else { continue }
      switch missing {
      case .hostAddress, .sameTunnelAddress, .sameHardwareAddress:
        let message = """
          \(missing.words(name, family)): that of \(name) is left out; give it another, or delete the node that is gone
          """
        issues.append(.init(.malformed, "node \(name)", message))
      // These are no one's concern until routes need the end.
      case .noUnderlay, .ownUnderlay, .noTunnelAddress, .hardwareAddressUnusable: break
      }
    }
    return issues
  }

  /// What this node itself lacks.
  var localIssues: [ConditionLedger.Issue] {
    guard !nodes.nodes.isEmpty else { return [] }
    let name = configuration.nodeName
    guard nodes.local != nil else {
      let message = """
        this node, \(name), is not in the datastore: its own blocks are routed, but tunnels and tests of subnets need \
        its addresses; add it, or correct nodeName
        """
      return [.init(.unresolved, name, message)]
    }
    var issues: [ConditionLedger.Issue] = []
    for family in AddressFamily.all {
      guard let underlay = nodes.underlay(name, family) else { continue }
      if local[family].parent == nil {
        let message = """
          no interface has this node's \(family.name) address \(underlay): routes and tunnels over \(family.name) wait \
          until one does; add the address, or correct the node
          """
        issues.append(.init(.noParent, family.name, message))
      }
    }
    if AddressFamily.all.allSatisfy({ nodes.underlay(name, $0) == nil }) {
      let message = "this node, \(name), has no usable address in the datastore: nothing can be sent from it; add one"
      issues.append(.init(.unresolved, name, message))
    }
    for family in AddressFamily.all where devices.current[.vxlan(family)] != nil {
      guard nodes.local?.usableTunnelAddress(family) == nil else { continue }
      let message = """
        this node has no \(family.name) VXLAN tunnel address: other nodes cannot reach it through the tunnel until one \
        is allocated
        """
      issues.append(.init(.unresolved, name, message))
    }
    return issues
  }
}
