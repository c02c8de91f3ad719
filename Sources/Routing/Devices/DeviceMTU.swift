import IPAddressing
import Netlink

/// The largest packets of tunnel devices (routes specification, section 1.9).
enum DeviceMTU {
  /// What is put around each packet: an IPv4 header; or IP, UDP, VXLAN and inner Ethernet headers.
  static func overhead(_ role: InterfaceRole) -> UInt32 {
    switch role {
    case .ipip: 20
    case .vxlan(.v4): 50
    case .vxlan(.v6): 70
    case .parent, .interface: 0
    }
  }

  /// The configured MTU, or that of the host less the overhead.
  static func wanted(
    _ role: InterfaceRole, parent: Link?, links: some Collection<Link>, _ configuration: RoutingConfiguration
  ) -> UInt32 {
    let configured =
      switch role {
      case .ipip: configuration.ipipMTU
      case .vxlan(.v4): configuration.vxlanMTUV4
      case .vxlan(.v6): configuration.vxlanMTUV6
      case .parent, .interface: UInt32(0)
      }
    if configured != 0 { return configured }
    let host = host(parent: parent, links: links)
    // No device carries less than what IPv4 asks of every link.
    return max(host, overhead(role) + 68) - overhead(role)
  }

  /// The MTU of the parent; where the node's address is on the loopback interface, or nowhere, the least of the links that
  /// look like a way out, and 1460 if there is none.
  static func host(parent: Link?, links: some Collection<Link>) -> UInt32 {
    if let parent, parent.name != "lo", parent.mtu > 0 { return parent.mtu }
    return links.filter { $0.isUp && $0.isRunning && isUplink($0.name) }.map(\.mtu).min() ?? 1460
  }

  /// Whether a name is one that the kernel or udev gives a network card.
  static func isUplink(_ name: String) -> Bool {
    if ["eth", "wlan", "wwan"].contains(where: name.hasPrefix) { return true }
    guard ["en", "wl", "ww", "sl", "ib"].contains(where: name.hasPrefix) else { return false }
    return name.dropFirst(2).first.map { "Pcopsvx".contains($0) } ?? false
  }
}
