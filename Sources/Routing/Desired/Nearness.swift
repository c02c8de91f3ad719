public import IPAddressing
public import Netlink

/// Why packets to a node cannot simply be put on the link (routes specification, section 1.5 and R-6).
public enum Distance: Hashable, Sendable {
  /// This node has no address of the family in the datastore, so nothing is known to be on its subnet.
  case ownAddressUnknown
  /// No interface has this node's own address.
  case noParent
  /// The node is not in this node's subnet, which is this one.
  case otherSubnet(CIDR)
  /// The kernel has not been asked yet.
  case notLookedUp
  /// The kernel would send to this router, by this interface.
  case router(IPAddress, InterfaceIndex)
  /// The node is on the link of another interface than the one with this node's own address.
  case otherInterface(InterfaceIndex)
  /// The kernel knows no way.
  case unreachable
}

/// Whether a node is on the link.
enum Nearness: Hashable, Sendable {
  case near
  case far(Distance)
  /// Its address is this machine's own.
  case here
}

extension LocalNetwork {
  /// What the kernel says of an address of another node.
  func nearness(_ address: IPAddress) -> Nearness {
    guard let parent = self[address.family].parent else { return .far(.noParent) }
    return switch reachability[address] {
    case nil: .far(.notLookedUp)
    case .direct(let interface): interface == parent.index ? .near : .far(.otherInterface(interface))
    case .viaRouter(let router, let interface): .far(.router(router, interface))
    case .local: .here
    case .unreachable: .far(.unreachable)
    }
  }

  /// The subnet of this node: its address as configured, and where only a host's length is known, with the length found
  /// on the interface.
  func subnet(configured: CIDR) -> CIDR {
    guard configured.hostBits == 0, let found = self[configured.address.family].parent?.address else {
      return configured.canonical
    }
    return (CIDR(configured.address, prefixLength: found.prefixLength) ?? configured).canonical
  }
}
