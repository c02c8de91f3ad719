import IPAddressing
import Netlink

/// What of a node's facts can be used: addresses come from people, and not every one of them can be sent to.
extension RoutingNode {
  /// The address of a family that other nodes send to.
  func usableUnderlay(_ family: AddressFamily) -> IPAddress? {
    guard let address = self[family].underlay?.address, address.family == family, address.isReachableElsewhere else {
      return nil
    }
    return address
  }

  /// The address on the VXLAN device of a family.
  func usableTunnelAddress(_ family: AddressFamily) -> IPAddress? {
    guard let address = self[family].vxlanTunnelAddress, address.family == family, address.isReachableElsewhere else {
      return nil
    }
    return address
  }

  /// The hardware address of the VXLAN device of a family: the one that is named, or the one that follows from the
  /// node's name; nil when the named one is none that a device can have.
  func usableHardwareAddress(_ name: String, _ family: AddressFamily) -> HardwareAddress? {
    guard let named = self[family].vxlanHardwareAddress else { return .tunnel(of: name, family) }
    return named.isUsable ? named : nil
  }

  /// The node's end of the VXLAN tunnel of a family; all three facts are needed.
  func tunnelEnd(_ name: String, _ family: AddressFamily) -> TunnelPeer? {
    guard let underlay = usableUnderlay(family), let address = usableTunnelAddress(family),
      let hardwareAddress = usableHardwareAddress(name, family)
    else { return nil }
    return TunnelPeer(tunnelAddress: address, hardwareAddress: hardwareAddress, underlay: underlay)
  }

  /// The address on the IPIP device. Where nodes have fixed ranges it is the one behind the first of the IPv4 range,
  /// unless the node names another.
  func usableIPIPAddress(_ mode: RoutingConfiguration.Mode) -> IPAddress? {
    if let address = ipipTunnelAddress { return address.family == .v4 && address.isReachableElsewhere ? address : nil }
    guard mode == .podCIDRs, let range = podCIDRs.first(where: { $0.address.family == .v4 }),
      let address = range.network.advanced(by: 1), range.contains(address)
    else { return nil }
    return address
  }

  /// Every address that is the node's own, and no pod's.
  var listedAddresses: Set<IPAddress> {
    Set(otherAddresses + [v4.underlay?.address, v6.underlay?.address].compactMap { $0 })
  }

  /// What is wrong with what the node says of itself.
  func issues(_ name: String) -> [ConditionLedger.Issue] {
    var issues: [ConditionLedger.Issue] = []
    func report(_ what: String) {
      issues.append(.init(.malformed, "node \(name)", "node \(name) has \(what); correct the node"))
    }
    for family in AddressFamily.all {
      if let address = self[family].underlay?.address, usableUnderlay(family) == nil {
        report("\(address) as its \(family.name) address, which other nodes cannot send to")
      }
      if let address = self[family].vxlanTunnelAddress, usableTunnelAddress(family) == nil {
        report("\(address) as its \(family.name) VXLAN tunnel address, which other nodes cannot send to")
      }
      if let address = self[family].vxlanHardwareAddress, !address.isUsable {
        report("\(address) as the hardware address of its \(family.name) VXLAN device, which no device can have")
      }
    }
    if let address = ipipTunnelAddress, usableIPIPAddress(.blocks) == nil {
      report("\(address) as its IPIP tunnel address, which other nodes cannot send to")
    }
    return issues
  }
}
