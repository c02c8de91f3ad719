public import IPAddressing
public import Netlink

/// What routing needs to know of a node, its own or another (routes specification, section 1.1).
public struct RoutingNode: Hashable, Sendable {
  /// What a node has in one family.
  public struct Family: Hashable, Sendable {
    /// The address that other nodes send to, with the prefix length of its subnet if that is known; a host's length (32
    /// or 128) says that it is not.
    public var underlay: CIDR?
    /// The node's address on the VXLAN device.
    public var vxlanTunnelAddress: IPAddress?
    /// The hardware address of the VXLAN device, where the node names one; otherwise it follows from the node's name.
    public var vxlanHardwareAddress: HardwareAddress?

    public init(
      underlay: CIDR? = nil, vxlanTunnelAddress: IPAddress? = nil, vxlanHardwareAddress: HardwareAddress? = nil
    ) {
      self.underlay = underlay
      self.vxlanTunnelAddress = vxlanTunnelAddress
      self.vxlanHardwareAddress = vxlanHardwareAddress
    }
  }

  public var v4: Family
  public var v6: Family
  /// The node's address on the IPIP device; IPv4 only.
  public var ipipTunnelAddress: IPAddress?
  /// Every other address that the node is listed with.
  public var otherAddresses: [IPAddress]
  /// The ranges that the node gives its pods addresses from, where nodes have fixed ones.
  public var podCIDRs: [CIDR]

  public init(
    v4: Family = Family(),
    v6: Family = Family(),
    ipipTunnelAddress: IPAddress? = nil,
    otherAddresses: [IPAddress] = [],
    podCIDRs: [CIDR] = []
  ) {
    self.v4 = v4
    self.v6 = v6
    self.ipipTunnelAddress = ipipTunnelAddress
    self.otherAddresses = otherAddresses
    self.podCIDRs = podCIDRs
  }

  public subscript(family: AddressFamily) -> Family {
    get { family == .v4 ? v4 : v6 }
    set { if family == .v4 { v4 = newValue } else { v6 = newValue } }
  }
}
