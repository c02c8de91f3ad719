public import IPAddressing
public import Netlink

/// A route that this node should have.
public struct DesiredRoute: Hashable, Sendable {
  public enum Path: Hashable, Sendable {
    /// Packets vanish: for a block of this node, where no pod has the address.
    case blackhole
    /// Packets are refused: the catch-all of a pool (routes specification, R-5).
    case unreachable
    /// Packets leave by an interface, to a gateway or, without one, to whoever has the address there.
    case hop(InterfaceRole, gateway: IPAddress?, isOnLink: Bool)
  }

  public var path: Path
  /// The node that packets are for; empty for a catch-all.
  public var owner: String
  /// What says so: the block, the node's own range, or the pool of a catch-all.
  public var claim: CIDR
  /// Whether it leads to another node's own address on a tunnel, which other routes go through.
  public var isToTunnelAddress: Bool

  public init(_ path: Path, owner: String, claim: CIDR, isToTunnelAddress: Bool = false) {
    self.path = path
    self.owner = owner
    self.claim = claim
    self.isToTunnelAddress = isToTunnelAddress
  }
}

/// Another node's end of a VXLAN tunnel (VTEP): a neighbour and a forwarding entry on the device of its family.
public struct TunnelPeer: Hashable, Sendable {
  /// The node's address on the device.
  public var tunnelAddress: IPAddress
  public var hardwareAddress: HardwareAddress
  /// The address that outer packets go to.
  public var underlay: IPAddress

  public init(tunnelAddress: IPAddress, hardwareAddress: HardwareAddress, underlay: IPAddress) {
    self.tunnelAddress = tunnelAddress
    self.hardwareAddress = hardwareAddress
    self.underlay = underlay
  }
}

/// Which end of which tunnel.
public struct TunnelPeerKey: Hashable, Sendable {
  public var node: String
  public var family: AddressFamily

  public init(node: String, family: AddressFamily) {
    self.node = node
    self.family = family
  }
}

/// A tunnel device that this node should have (routes specification, section 4).
public struct DesiredDevice: Hashable, Sendable {
  /// This node's address on the device; nil while it has none.
  public var address: IPAddress?
  /// This node's own address, the source of outer packets of a VXLAN device.
  public var underlay: IPAddress?
  /// Of a VXLAN device.
  public var hardwareAddress: HardwareAddress?

  public init(address: IPAddress? = nil, underlay: IPAddress? = nil, hardwareAddress: HardwareAddress? = nil) {
    self.address = address
    self.underlay = underlay
    self.hardwareAddress = hardwareAddress
  }
}

/// What this node should have, as far as it is different now. A value of nil: not any more.
public struct DesiredChanges: Hashable, Sendable {
  public var routes: [RouteKey: DesiredRoute?]
  public var peers: [TunnelPeerKey: TunnelPeer?]
  /// By the role of the tunnel device.
  public var devices: [InterfaceRole: DesiredDevice?]
  /// What stands in the way of a route, by the destination or object that it is about.
  public var conditions: [Condition.Subject: Condition?]

  public init(
    routes: [RouteKey: DesiredRoute?] = [:],
    peers: [TunnelPeerKey: TunnelPeer?] = [:],
    devices: [InterfaceRole: DesiredDevice?] = [:],
    conditions: [Condition.Subject: Condition?] = [:]
  ) {
    self.routes = routes
    self.peers = peers
    self.devices = devices
    self.conditions = conditions
  }

  public var isEmpty: Bool { routes.isEmpty && peers.isEmpty && devices.isEmpty && conditions.isEmpty }
}

/// Everything that this node should have.
public struct DesiredNetwork: Hashable, Sendable {
  public var routes: [RouteKey: DesiredRoute]
  public var peers: [TunnelPeerKey: TunnelPeer]
  /// By the role of the tunnel device.
  public var devices: [InterfaceRole: DesiredDevice]
  public var conditions: [Condition.Subject: Condition]

  public init(
    routes: [RouteKey: DesiredRoute] = [:],
    peers: [TunnelPeerKey: TunnelPeer] = [:],
    devices: [InterfaceRole: DesiredDevice] = [:],
    conditions: [Condition.Subject: Condition] = [:]
  ) {
    self.routes = routes
    self.peers = peers
    self.devices = devices
    self.conditions = conditions
  }

  /// Takes over what is different.
  public mutating func apply(_ changes: DesiredChanges) {
    for (key, route) in changes.routes { routes[key] = route }
    for (key, peer) in changes.peers { peers[key] = peer }
    for (role, device) in changes.devices { devices[role] = device }
    for (subject, condition) in changes.conditions { conditions[subject] = condition }
  }
}
