public import CalicoModel

/// Who has an address, as far as its block records it (Calico IPAM specification, sections 2.4 and 3.21).
public struct AddressHolder: Hashable, Sendable {
  /// The node; nil when none is recorded.
  public let node: String?
  /// Who it is: `default/web-0` for a pod, `VXLAN tunnel`, `service default/web`. As it is stored: whoever draws it
  /// escapes it. Nil when only the fact is recorded.
  public let name: String?

  /// A holder.
  public init(node: String?, name: String?) {
    self.node = node
    self.name = name
  }

  /// What an attribute records.
  public init(_ attribute: AllocationAttribute) {
    let owner = attribute.owner
    node = owner["node"].flatMap { $0.isEmpty ? nil : $0 }
    name = Self.name(owner) ?? attribute.sanitizedHandleID.flatMap { $0.isEmpty ? nil : "handle " + $0 }
  }

  private static func name(_ owner: [String: String]) -> String? {
    func member(_ key: String) -> String? { owner[key].flatMap { $0.isEmpty ? nil : $0 } }
    let prefix = member("namespace").map { $0 + "/" } ?? ""
    if let machine = member("vmi-name") { return "virtual machine " + prefix + machine }
    if let pod = member("pod") { return prefix + pod }
    if let service = member("service") { return "service " + prefix + service }
    if let type = member("type") { return tunnels[type] ?? type }
    return member("note")
  }

  /// The values of the attribute `type` (section 2.4).
  private static let tunnels = [
    "ipipTunnelAddress": "IPIP tunnel", "vxlanTunnelAddress": "VXLAN tunnel",
    "vxlanV6TunnelAddress": "VXLAN tunnel", "wireguardTunnelAddress": "WireGuard tunnel",
    "wireguardV6TunnelAddress": "WireGuard tunnel",
  ]
}
