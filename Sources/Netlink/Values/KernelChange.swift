public import IPAddressing

/// One thing that is to change in the kernel.
public enum KernelChange: Hashable, Sendable {
  /// Adds a route unless its key is taken, by whomever: then it is refused with `EEXIST`.
  case addRoute(Route)
  /// Adds a route, or replaces what has its key, whoever made that.
  case replaceRoute(Route)
  /// Removes exactly this route: same protocol, type and next hop (routes specification, R-15).
  case deleteRoute(Route)

  /// Adds a permanent entry, or replaces the one of the address.
  case replaceNeighbour(Neighbour)
  case deleteNeighbour(Neighbour)

  /// Adds a permanent entry, or moves the one of the hardware address.
  case replaceForwarding(ForwardingEntry)
  case deleteForwarding(ForwardingEntry)

  /// Adds an object, or points all routes through it elsewhere.
  case replaceNextHop(NextHop)
  case deleteNextHop(id: UInt32)

  /// Creates a device; `EEXIST` when the name is taken.
  case createLink(NewLink)
  /// Changes a device in place: what is nil stays.
  case changeLink(InterfaceIndex, LinkChange)
  case deleteLink(InterfaceIndex)

  case addAddress(InterfaceAddress)
  case deleteAddress(InterfaceAddress)
}

/// A device that is to be made.
public struct NewLink: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case ipip
    case vxlan(VXLANSettings)
  }

  public var name: String
  public var kind: Kind
  /// In bytes; nil for the kernel's choice.
  public var mtu: UInt32?
  /// Given at creation, so that nobody thinks of another one (systemd-udevd does).
  public var hardwareAddress: HardwareAddress?

  public init(name: String, kind: Kind, mtu: UInt32? = nil, hardwareAddress: HardwareAddress? = nil) {
    self.name = name
    self.kind = kind
    self.mtu = mtu
    self.hardwareAddress = hardwareAddress
  }
}

/// What can be changed of a device that is in use.
public struct LinkChange: Hashable, Sendable {
  public var isUp: Bool?
  /// In bytes.
  public var mtu: UInt32?
  public var hardwareAddress: HardwareAddress?
  /// The source of outer packets of a VXLAN device.
  public var vxlanLocal: IPAddress?
  /// The lower device of a VXLAN device.
  public var vxlanLower: InterfaceIndex?
  /// Whether a VXLAN device learns.
  public var vxlanLearns: Bool?

  public init(
    isUp: Bool? = nil,
    mtu: UInt32? = nil,
    hardwareAddress: HardwareAddress? = nil,
    vxlanLocal: IPAddress? = nil,
    vxlanLower: InterfaceIndex? = nil,
    vxlanLearns: Bool? = nil
  ) {
    self.isUp = isUp
    self.mtu = mtu
    self.hardwareAddress = hardwareAddress
    self.vxlanLocal = vxlanLocal
    self.vxlanLower = vxlanLower
    self.vxlanLearns = vxlanLearns
  }
}
