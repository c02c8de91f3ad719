public import IPAddressing

/// A network interface.
public struct Link: Hashable, Sendable {
  public var index: InterfaceIndex
  public var name: String
  /// Whether it was switched on (`IFF_UP`).
  public var isUp: Bool
  /// Whether it can carry packets (`IFF_RUNNING`).
  public var isRunning: Bool
  /// The largest packet, in bytes.
  public var mtu: UInt32
  /// Nil where there is none of six octets.
  public var hardwareAddress: HardwareAddress?
  /// The kind of a virtual device, such as `vxlan`, `veth` or `ipip`; nil for hardware.
  public var kind: String?
  /// The device below, or the peer in the same namespace (`IFLA_LINK`). Of a VXLAN device only its settings tell it.
  public var lower: InterfaceIndex?
  /// What a VXLAN device is set to.
  public var vxlan: VXLANSettings?

  public init(
    index: InterfaceIndex,
    name: String,
    isUp: Bool,
    isRunning: Bool,
    mtu: UInt32,
    hardwareAddress: HardwareAddress? = nil,
    kind: String? = nil,
    lower: InterfaceIndex? = nil,
    vxlan: VXLANSettings? = nil
  ) {
    self.index = index
    self.name = name
    self.isUp = isUp
    self.isRunning = isRunning
    self.mtu = mtu
    self.hardwareAddress = hardwareAddress
    self.kind = kind
    self.lower = lower
    self.vxlan = vxlan
  }
}

/// What a VXLAN device is set to (routes specification, section 4.3).
public struct VXLANSettings: Hashable, Sendable {
  /// The network identifier (VNI), below 2^24.
  public var identifier: UInt32
  public var port: UInt16
  /// The source of outer packets.
  public var local: IPAddress?
  /// The device that outer packets leave through.
  public var lower: InterfaceIndex?
  public var learns: Bool
  /// Whether outer UDP packets have a checksum over IPv4; nil when not told.
  public var hasChecksum: Bool?
  public var collectsMetadata: Bool

  public init(
    identifier: UInt32,
    port: UInt16,
    local: IPAddress?,
    lower: InterfaceIndex?,
    learns: Bool = false,
    hasChecksum: Bool? = nil,
    collectsMetadata: Bool = false
  ) {
    self.identifier = identifier
    self.port = port
    self.local = local
    self.lower = lower
    self.learns = learns
    self.hasChecksum = hasChecksum
    self.collectsMetadata = collectsMetadata
  }
}

/// An address of this machine.
public struct InterfaceAddress: Hashable, Sendable {
  public var interface: InterfaceIndex
  public var address: IPAddress
  public var prefixLength: Int
  /// How far the address is good (`ifa_scope`): 0 anywhere, 253 on the link, 254 on this machine.
  public var scope: UInt8

  public init(interface: InterfaceIndex, address: IPAddress, prefixLength: Int, scope: UInt8 = 0) {
    self.interface = interface
    self.address = address
    self.prefixLength = prefixLength
    self.scope = scope
  }
}
