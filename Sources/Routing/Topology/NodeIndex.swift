import IPAddressing
import Netlink

/// The nodes, by name and by their addresses.
struct NodeIndex: Sendable {
  /// The name of this node.
  let localName: String
  private(set) var nodes: [String: RoutingNode] = [:]
  /// The nodes that an address is listed with or sent to at (routes specification, R-1).
  private var hosts: [IPAddress: NodeNames] = [:]
  /// The nodes that have an address as their underlay address.
  private(set) var underlays = PrefixTree<NodeNames>()
  /// The ends of VXLAN tunnels, and who has which of their addresses: two with the same one cannot both be reached.
  private var ends: [TunnelPeerKey: TunnelPeer] = [:]
  private var tunnelAddresses: [IPAddress: NodeNames] = [:]
  private var hardwareAddresses: [FamilyHardwareAddress: NodeNames] = [:]

  private struct FamilyHardwareAddress: Hashable {
    var family: AddressFamily
    var address: HardwareAddress
  }

  init(localName: String) {
    self.localName = localName
  }

  /// This node, once it is known.
  private(set) var local: RoutingNode?

  /// The address that other nodes send to, if they can.
  func underlay(_ name: String, _ family: AddressFamily) -> IPAddress? { nodes[name]?.usableUnderlay(family) }

  /// A node that has the address, the first by name.
  func host(_ address: IPAddress) -> String? { hosts[address]?.first }

  /// Whether an address is one of this node's, beside its tunnels or on them: as a gateway it leads nowhere.
  func isLocal(_ address: IPAddress) -> Bool {
    guard let local else { return false }
    let own = local[address.family]
    return address == own.underlay?.address || address == own.vxlanTunnelAddress || address == local.ipipTunnelAddress
      || local.otherAddresses.contains(address)
  }

  /// An underlay address in a prefix, the first, and its node.
  func underlay(within prefix: CIDR) -> (address: IPAddress, node: String)? {
    underlays.first(within: prefix).map { ($0.prefix.address, $0.value.first) }
  }
}

// MARK: - Changing

extension NodeIndex {
  /// What a changed node means for others.
  struct Effects {
    /// Addresses that are, or are not any more, some node's.
    var addresses: Set<IPAddress> = []
    /// Other nodes whose ends of tunnels count now, or no longer do.
    var nodes: Set<String> = []
  }

  /// Sets a node, or removes it with nil.
  mutating func update(_ name: String, _ node: RoutingNode?) -> Effects {
    var effects = Effects()
    let old = nodes[name]
    let (gone, come) = (old?.listedAddresses ?? [], node?.listedAddresses ?? [])
    for address in gone.subtracting(come) { hosts.take(name, from: address) }
    for address in come.subtracting(gone) { hosts.put(name, at: address) }
    effects.addresses = gone.symmetricDifference(come)
    for family in AddressFamily.all {
      let (before, after) = (old?.usableUnderlay(family), node?.usableUnderlay(family))
      if before != after {
        if let before { underlays[CIDR(host: before)] = underlays[CIDR(host: before)]?.removing(name) }
        if let after { underlays.modify(CIDR(host: after), default: .one(name)) { $0.insert(name) } }
        effects.addresses.formUnion([before, after].compactMap { $0 })
      }
      setEnd(TunnelPeerKey(node: name, family: family), node?.tunnelEnd(name, family), &effects)
    }
    for address in effects.addresses { tunnelAddresses[address]?.forEach { effects.nodes.insert($0) } }
    effects.nodes.remove(name)
    nodes[name] = node
    if name == localName { local = node }
    return effects
  }

  private mutating func setEnd(_ key: TunnelPeerKey, _ end: TunnelPeer?, _ effects: inout Effects) {
    let old = ends[key]
    guard old != end else { return }
    if let old {
      addSharing(old, key.family, to: &effects)
      tunnelAddresses.take(key.node, from: old.tunnelAddress)
      hardwareAddresses.take(key.node, from: .init(family: key.family, address: old.hardwareAddress))
    }
    if let end {
      tunnelAddresses.put(key.node, at: end.tunnelAddress)
      hardwareAddresses.put(key.node, at: .init(family: key.family, address: end.hardwareAddress))
      addSharing(end, key.family, to: &effects)
    }
    ends[key] = end
  }

  private func addSharing(_ end: TunnelPeer, _ family: AddressFamily, to effects: inout Effects) {
    tunnelAddresses[end.tunnelAddress]?.forEach { effects.nodes.insert($0) }
    hardwareAddresses[.init(family: family, address: end.hardwareAddress)]?.forEach { effects.nodes.insert($0) }
  }
}

// MARK: - Ends of tunnels

extension NodeIndex {
  /// Another node's end of a VXLAN tunnel, or why it cannot be used.
  func tunnelEnd(_ name: String, _ family: AddressFamily) -> Result<TunnelPeer, TunnelEndMissing> {
    guard let node = nodes[name], let underlay = node.usableUnderlay(family) else { return .failure(.noUnderlay) }
    guard !isLocal(underlay) else { return .failure(.ownUnderlay(underlay)) }
    guard let end = ends[TunnelPeerKey(node: name, family: family)] else {
      return .failure(node.usableTunnelAddress(family) == nil ? .noTunnelAddress : .hardwareAddressUnusable)
    }
    if let other = host(end.tunnelAddress) { return .failure(.hostAddress(end.tunnelAddress, of: other)) }
    if let other = first(of: tunnelAddresses[end.tunnelAddress]), other != name {
      return .failure(.sameTunnelAddress(end.tunnelAddress, as: other))
    }
    let hardware = FamilyHardwareAddress(family: family, address: end.hardwareAddress)
    if let other = first(of: hardwareAddresses[hardware]), other != name {
      return .failure(.sameHardwareAddress(end.hardwareAddress, as: other))
    }
    return .success(end)
  }

  /// Who keeps an address that several have: this node its own, otherwise the first by name, so that all nodes agree.
  private func first(of names: NodeNames?) -> String? {
    names.map { $0.contains(localName) ? localName : $0.first }
  }
}

/// Why a node's end of a VXLAN tunnel cannot be used (routes specification, section 0: three facts make one).
enum TunnelEndMissing: Error, Hashable, Sendable {
  case noUnderlay
  /// It has an address of this node.
  case ownUnderlay(IPAddress)
  case noTunnelAddress
  case hardwareAddressUnusable
  /// The tunnel address is a node's own address beside the tunnel.
  case hostAddress(IPAddress, of: String)
  case sameTunnelAddress(IPAddress, as: String)
  case sameHardwareAddress(HardwareAddress, as: String)
}
