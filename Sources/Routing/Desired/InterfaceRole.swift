public import IPAddressing
public import Netlink

/// What an interface is for. Routes are wanted by role, and resolved when they are programmed, so that a device made
/// anew makes its routes differ (routes specification, R-17).
public enum InterfaceRole: Hashable, Sendable {
  /// The interface that has the node's own address of a family.
  case parent(AddressFamily)
  /// `tunl0`.
  case ipip
  /// `vxlan.calico` or `vxlan-v6.calico`.
  case vxlan(AddressFamily)
  /// The interface that a lookup in the kernel named.
  case interface(InterfaceIndex)

  /// Whether the agent may make the device.
  public var isTunnel: Bool {
    switch self {
    case .ipip, .vxlan: true
    case .parent, .interface: false
    }
  }
}
