public import IPAddressing

/// What tells routes of a kernel apart: two with the same key cannot stand side by side, whoever made them (routes
/// specification, section 0).
public struct RouteKey: Hashable, Sendable {
  /// The destination, without host bits.
  public var destination: CIDR
  public var table: UInt32
  /// The lower one is used. The kernel keeps 1024 for an IPv6 route without one.
  public var metric: UInt32
  public var typeOfService: UInt8

  public init(_ destination: CIDR, table: UInt32 = RouteKey.mainTable, metric: UInt32, typeOfService: UInt8 = 0) {
    self.destination = destination
    self.table = table
    self.metric = metric
    self.typeOfService = typeOfService
  }

  /// The table that packets are looked up in unless a rule says otherwise.
  public static let mainTable: UInt32 = 254

  public var family: AddressFamily { destination.address.family }

  public func hash(into hasher: inout Hasher) {
    // The rest is the same for nearly all routes of a table.
    hasher.combine(destination)
    hasher.combine(UInt64(metric) << 32 | UInt64(table))
  }
}

extension RouteKey: Comparable {
  /// IPv4 first, by destination, the wider one before what is in it.
  public static func < (left: Self, right: Self) -> Bool {
    (left.destination.address, left.destination.prefixLength, left.metric, left.table, left.typeOfService)
      < (right.destination.address, right.destination.prefixLength, right.metric, right.table, right.typeOfService)
  }
}

/// Who made a route, by the number it is marked with (`rtm_protocol`).
public struct RouteProtocol: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  public init(_ rawValue: UInt8) {
    self.rawValue = rawValue
  }

  public static let kernel = RouteProtocol(2)
  public static let boot = RouteProtocol(3)
  public static let `static` = RouteProtocol(4)
  public static let bird = RouteProtocol(12)
  public static let felix = RouteProtocol(80)
  /// This project's own.
  public static let agent = RouteProtocol(84)
}

/// What becomes of a packet that a route matches (`rtm_type`).
public struct RouteKind: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  public static let unicast = RouteKind(rawValue: 1)
  public static let local = RouteKind(rawValue: 2)
  public static let blackhole = RouteKind(rawValue: 6)
  public static let unreachable = RouteKind(rawValue: 7)
  public static let prohibit = RouteKind(rawValue: 8)
}

/// One way out of a unicast route.
public struct RouteHop: Hashable, Sendable {
  public var gateway: IPAddress?
  public var interface: InterfaceIndex?
  /// Whether the gateway is taken to be on the link without a look at addresses.
  public var isOnLink: Bool

  public init(gateway: IPAddress? = nil, interface: InterfaceIndex? = nil, isOnLink: Bool = false) {
    self.gateway = gateway
    self.interface = interface
    self.isOnLink = isOnLink
  }
}

/// A route in the kernel's table, or one that is to be there.
public struct Route: Hashable, Sendable {
  public var key: RouteKey
  public var kind: RouteKind
  public var origin: RouteProtocol
  /// How far the destination is (`rtm_scope`): 0 anywhere, 253 on the link. IPv6 has none, and reports 0.
  public var scope: UInt8
  /// The way out of a unicast route; the first one when there are several.
  public var hop: RouteHop?
  /// The other ways out of a multipath route.
  public var otherHops: [RouteHop]
  /// The largest packet, in bytes (`RTAX_MTU`).
  public var mtu: UInt32?
  public var preferredSource: IPAddress?
  /// The nexthop object that the route goes through. A dump tells its hop as well.
  public var nextHopID: UInt32?

  public init(
    _ key: RouteKey,
    kind: RouteKind,
    origin: RouteProtocol,
    scope: UInt8 = 0,
    hop: RouteHop? = nil,
    otherHops: [RouteHop] = [],
    mtu: UInt32? = nil,
    preferredSource: IPAddress? = nil,
    nextHopID: UInt32? = nil
  ) {
    self.key = key
    self.kind = kind
    self.origin = origin
    self.scope = scope
    self.hop = hop
    self.otherHops = otherHops
    self.mtu = mtu
    self.preferredSource = preferredSource
    self.nextHopID = nextHopID
  }
}
