import Netlink

extension RouteProtocol {
  /// The program that marks its routes so, as operators know it.
  var agentName: String {
    switch self {
    case .kernel: "the kernel (protocol 2)"
    case .boot: "somebody without a number of their own (protocol 3, boot)"
    case .static: "the administrator (protocol 4, static)"
    case RouteProtocol(9): "router advertisements (protocol 9)"
    case RouteProtocol(11): "Zebra (protocol 11)"
    case .bird: "BIRD (protocol 12)"
    case RouteProtocol(16): "DHCP (protocol 16)"
    case .felix: "Felix (protocol 80)"
    case .agent: "another agent of this project (protocol 84)"
    case RouteProtocol(186): "BGP (protocol 186)"
    default: "the program with protocol \(rawValue)"
    }
  }
}

extension KernelRefusal {
  /// The reason in words: the kernel's own, or the name of the error.
  var reason: String { explanation.map { "\($0) (\(errno.errorName))" } ?? errno.errorName }
}
