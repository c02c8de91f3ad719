import Netlink

/// Protocol numbers that are somebody else's (routes specification, R-11).
enum ReservedProtocol {
  /// Whose routes a number marks; nil for one that may be the agent's.
  static func owner(of number: RouteProtocol) -> String? {
    switch number.rawValue {
    case 0: "unknown origin"
    case 1: "ICMP redirects"
    case 2: "the kernel"
    case 3: "programs that say nothing, such as `ip route add`"
    case 4: "administrators"
    case 9: "router advertisements"
    case 11: "Zebra"
    case 12: "BIRD"
    case 16: "DHCP clients"
    case 186: "BGP daemons"
    case 187: "IS-IS daemons"
    case 188: "OSPF daemons"
    case 189: "RIP daemons"
    case 190, 191: "routing daemons"
    case 192: "EIGRP daemons"
    default: nil
    }
  }
}
