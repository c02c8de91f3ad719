public import IPAddressing

/// Which hardware address a neighbour of an interface has (an entry of the ARP or ND table).
public struct Neighbour: Hashable, Sendable {
  public var interface: InterfaceIndex
  public var address: IPAddress
  /// Nil while it is not known.
  public var hardwareAddress: HardwareAddress?
  /// Whether it was put there to stay (`NUD_PERMANENT`); the kernel's own entries come and go.
  public var isPermanent: Bool

  public init(
    interface: InterfaceIndex, address: IPAddress, hardwareAddress: HardwareAddress?, isPermanent: Bool = true
  ) {
    self.interface = interface
    self.address = address
    self.hardwareAddress = hardwareAddress
    self.isPermanent = isPermanent
  }
}

/// To which host a VXLAN device sends frames for a hardware address (an entry of its forwarding database).
public struct ForwardingEntry: Hashable, Sendable {
  public var interface: InterfaceIndex
  public var hardwareAddress: HardwareAddress
  /// The outer destination; nil in entries that VXLAN has no use for.
  public var destination: IPAddress?
  public var isPermanent: Bool

  public init(
    interface: InterfaceIndex, hardwareAddress: HardwareAddress, destination: IPAddress?, isPermanent: Bool = true
  ) {
    self.interface = interface
    self.hardwareAddress = hardwareAddress
    self.destination = destination
    self.isPermanent = isPermanent
  }
}

/// A next hop that routes refer to by its number, so that one change moves them all (routes specification, section 3.9).
public struct NextHop: Hashable, Sendable {
  public var id: UInt32
  public var origin: RouteProtocol
  /// The way out; nil for an object of another kind, a group or a blackhole.
  public var hop: RouteHop?

  public init(id: UInt32, origin: RouteProtocol, hop: RouteHop?) {
    self.id = id
    self.origin = origin
    self.hop = hop
  }
}
