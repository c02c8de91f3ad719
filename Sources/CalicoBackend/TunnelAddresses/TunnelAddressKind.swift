import CalicoModel
public import IPAddressing
import JSON

/// The addresses that a node's tunnel devices have, in the order in which they are seen to (front-end specification,
/// section 6.1).
public enum TunnelAddressKind: String, Hashable, Sendable, CaseIterable {
  case wireGuardV4 = "wireguardTunnelAddress"
  case wireGuardV6 = "wireguardV6TunnelAddress"
  case ipip = "ipipTunnelAddress"
  case vxlanV4 = "vxlanTunnelAddress"
  case vxlanV6 = "vxlanV6TunnelAddress"

  public var family: AddressFamily {
    switch self {
    case .wireGuardV4, .ipip, .vxlanV4: .v4
    case .wireGuardV6, .vxlanV6: .v6
    }
  }

  /// The handle that owns the address of a node.
  public func handleID(_ node: String) -> String {
    switch self {
    case .wireGuardV4: "wireguard-tunnel-addr-" + node
    case .wireGuardV6: "wireguard-v6-tunnel-addr-" + node
    case .ipip: "ipip-tunnel-addr-" + node
    case .vxlanV4: "vxlan-tunnel-addr-" + node
    case .vxlanV6: "vxlan-v6-tunnel-addr-" + node
    }
  }

  /// What is recorded with the address of a node.
  public func attributes(_ node: String) -> [String: String] { ["node": node, "type": rawValue] }

  /// Whether a pool has addresses for this, as far as its family and its encapsulation say.
  func fits(_ pool: IPPool) -> Bool {
    guard pool.family == family else { return false }
    return switch self {
    case .wireGuardV4, .wireGuardV6: true
    case .ipip: pool.ipipMode == .always || pool.ipipMode == .crossSubnet
    case .vxlanV4, .vxlanV6: pool.vxlanMode == .always || pool.vxlanMode == .crossSubnet
    }
  }

  // MARK: The member of the Node

  /// The object in `spec` that the member stands in, if not `spec` itself.
  private var section: String? {
    switch self {
    case .wireGuardV4, .wireGuardV6: "wireguard"
    case .ipip: "bgp"
    case .vxlanV4, .vxlanV6: nil
    }
  }

  private var member: String {
    switch self {
    case .wireGuardV4: "interfaceIPv4Address"
    case .wireGuardV6: "interfaceIPv6Address"
    case .ipip: "ipv4IPIPTunnelAddr"
    case .vxlanV4: "ipv4VXLANTunnelAddr"
    case .vxlanV6: "ipv6VXLANTunnelAddr"
    }
  }

  /// The address as a node has it written; empty when it has none.
  func text(in node: Resource) -> String {
    let place = section.map { node.specification[$0]?.objectValue ?? JSONObject() } ?? node.specification
    return place[member]?.stringValue ?? ""
  }

  /// Writes the address into a node, with the section that it stands in; nil takes it out, and a section that is empty
  /// then.
  func set(_ address: IPAddress?, in node: inout Resource) {
    let value = address.map { JSON.string($0.description) }
    guard let section else {
      node.specification[member] = value
      return
    }
    var place = node.specification[section]?.objectValue ?? JSONObject()
    place[member] = value
    node.specification[section] = address == nil && place.members.isEmpty ? nil : .object(place)
  }

  /// Whether a node asks for the address: a WireGuard device has one once it has a key.
  func isWanted(by node: Resource) -> Bool {
    let key: String
    switch self {
    case .wireGuardV4: key = "wireguardPublicKey"
    case .wireGuardV6: key = "wireguardPublicKeyV6"
    case .ipip, .vxlanV4, .vxlanV6: return true
    }
    return node.status?[key]?.stringValue?.isEmpty == false
  }
}
