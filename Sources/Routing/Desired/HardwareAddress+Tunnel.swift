public import IPAddressing
public import Netlink

extension HardwareAddress {
  /// The hardware address of a node's VXLAN device where the node names none (routes specification, section 4.4).
  ///
  /// All nodes come to the same one by themselves: 0x66, which makes it a local and unicast one, and the first five
  /// bytes of the SHA-1 of the node's name, with `-v6` behind it for IPv6.
  ///
  /// - Parameters:
  ///   - node: the node's name in the datastore, which need not be that of the host.
  ///   - family: the family of the device.
  /// - Returns: the address.
  public static func tunnel(of node: String, _ family: AddressFamily) -> HardwareAddress? {
    let name = family == .v4 ? node : node + "-v6"
    return HardwareAddress(octets: [0x66] + SHA1.digest(name.utf8).prefix(5))
  }

  /// Whether a device can have it: not all zero, and not the address of a group.
  var isUsable: Bool { number != 0 && octets[0] & 1 == 0 }
}
