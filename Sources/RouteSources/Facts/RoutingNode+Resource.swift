public import CalicoModel
import IPAddressing
import Netlink
public import Routing

extension RoutingNode {
  /// What routing needs of a Node.
  ///
  /// - Parameters:
  ///   - node: the addresses in the resource.
  ///   - derivesTunnelAddress: whether the address on the IPIP device follows from the node's range of pod addresses, the
  ///     first address behind the range's own, as Calico has it where nodes have fixed ranges.
  public init(_ node: NodeNetwork, derivesTunnelAddress: Bool = false) {
    let underlays = [node.underlay(.v4), node.underlay(.v6)]
    var others: [IPAddress] = []
    for listed in node.addresses.map(\.address.address)
    where !others.contains(listed) && !underlays.contains(where: { $0?.address == listed }) {
      others.append(listed)
    }
    self.init(
      v4: Family(
        underlay: underlays[0], vxlanTunnelAddress: node.vxlanTunnelAddressV4,
        vxlanHardwareAddress: node.vxlanHardwareAddressV4.flatMap { HardwareAddress($0) }),
      v6: Family(
        underlay: underlays[1], vxlanTunnelAddress: node.vxlanTunnelAddressV6,
        vxlanHardwareAddress: node.vxlanHardwareAddressV6.flatMap { HardwareAddress($0) }),
      ipipTunnelAddress: derivesTunnelAddress ? node.derivedTunnelAddress : node.ipipTunnelAddress,
      otherAddresses: others,
      podCIDRs: node.podCIDRs)
  }
}

extension NodeNetwork {
  /// The address on the IPIP device of a node with a fixed range of pod addresses.
  var derivedTunnelAddress: IPAddress? {
    podCIDRs.first { $0.address.family == .v4 }?.network.advanced(by: 1)
  }

  /// Everything in the resource that cannot be used, in one sentence; nil when all of it can.
  var fault: String? {
    var reasons = violations
    let texts = [
      ("spec.vxlanTunnelMACAddr", vxlanHardwareAddressV4), ("spec.vxlanTunnelMACAddrV6", vxlanHardwareAddressV6),
    ]
    for (member, text) in texts {
      guard let text, HardwareAddress(text) == nil else { continue }
      reasons.append("\(member) is \"\(text)\", which is not a hardware address such as 66:93:7f:54:d5:53")
    }
    return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
  }
}
