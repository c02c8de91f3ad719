import CNetlink
import IPAddressing

extension Route {
  /// Reads a route from a message (`rtmsg` and attributes); nil for one that no ``RouteKey`` stands for: of another
  /// family, or with a source prefix.
  /// In the answer to a look-up the source is none: it is the one that was chosen for a packet.
  init?(message: ByteView, isLookUp: Bool = false) throws(MalformedMessage) {
    guard
      let family: UInt8 = message.integer(at: 0),
      let length: UInt8 = message.integer(at: 1),
      let sourceLength: UInt8 = message.integer(at: 2),
      let typeOfService: UInt8 = message.integer(at: 3),
      let table: UInt8 = message.integer(at: 4),
      let origin: UInt8 = message.integer(at: 5),
      let scope: UInt8 = message.integer(at: 6),
      let kind: UInt8 = message.integer(at: 7),
      let flags: UInt32 = message.integer(at: 8)
    else { throw MalformedMessage() }
    guard let family = AddressFamily(number: family), isLookUp || sourceLength == 0 else { return nil }
    var attributes = RouteAttributes(family: family, table: UInt32(table), flags: flags)
    try message.forEachAttribute(from: 12) { type, value throws(MalformedMessage) in
      try attributes.take(type, value)
    }
    guard
      let address = attributes.destination ?? IPAddress(family, number: 0),
      let destination = CIDR(address, prefixLength: Int(length))
    else { throw MalformedMessage() }
    self.init(
      RouteKey(
        destination.canonical, table: attributes.table, metric: attributes.metric, typeOfService: typeOfService),
      kind: RouteKind(rawValue: kind),
      origin: RouteProtocol(origin),
      scope: scope,
      mtu: attributes.mtu,
      preferredSource: attributes.preferredSource,
      nextHopID: attributes.nextHopID
    )
    // IPv6 says that packets into a blackhole leave by the loopback device.
    if !self.kind.dropsPackets { takeHops(attributes) }
  }

  private mutating func takeHops(_ attributes: RouteAttributes) {
    if let first = attributes.multipath.first {
      hop = first
      otherHops = Array(attributes.multipath.dropFirst())
    } else if attributes.single.gateway != nil || attributes.single.interface != nil {
      hop = attributes.single
    }
  }
}

extension RouteKind {
  /// Whether packets go nowhere.
  var dropsPackets: Bool { [RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_THROW].contains(Int(rawValue)) }
}

/// What the attributes of a route say, collected one by one.
private struct RouteAttributes {
  let family: AddressFamily
  var table: UInt32
  var destination: IPAddress?
  var metric: UInt32 = 0
  var single: RouteHop
  var multipath: [RouteHop] = []
  var mtu: UInt32?
  var preferredSource: IPAddress?
  var nextHopID: UInt32?

  init(family: AddressFamily, table: UInt32, flags: UInt32) {
    self.family = family
    self.table = table
    single = RouteHop(isOnLink: flags & UInt32(RTNH_F_ONLINK) != 0)
  }

  mutating func take(_ type: Int, _ value: ByteView) throws(MalformedMessage) {
    switch type {
    case RTA_DST.number: destination = try value.address(family)
    case RTA_TABLE.number: table = try value.number()
    case RTA_PRIORITY.number: metric = try value.number()
    case RTA_PREFSRC.number: preferredSource = try value.address(family)
    case RTA_NH_ID.number: nextHopID = try value.number()
    case RTA_METRICS.number: mtu = try Self.mtu(value)
    case RTA_MULTIPATH.number: multipath = try hops(value)
    default: try single.take(type, value, family: family)
    }
  }

  private static func mtu(_ metrics: ByteView) throws(MalformedMessage) -> UInt32? {
    var mtu: UInt32?
    try metrics.forEachAttribute { type, value throws(MalformedMessage) in
      if type == RTAX_MTU { mtu = try value.number() }
    }
    return mtu
  }

  /// The ways out: a `rtnexthop` each, with attributes of its own.
  private func hops(_ value: ByteView) throws(MalformedMessage) -> [RouteHop] {
    var hops: [RouteHop] = []
    var offset = 0
    while value.count - offset >= 8 {
      guard
        let length: UInt16 = value.integer(at: offset), length >= 8,
        let flags: UInt8 = value.integer(at: offset + 2),
        let interface: UInt32 = value.integer(at: offset + 4),
        let part = value.part(from: offset, count: Int(length))
      else { throw MalformedMessage() }
      var hop = RouteHop(
        interface: interface == 0 ? nil : InterfaceIndex(interface), isOnLink: flags & UInt8(RTNH_F_ONLINK) != 0)
      try part.forEachAttribute(from: 8) { type, value throws(MalformedMessage) in
        try hop.take(type, value, family: family)
      }
      hops.append(hop)
      offset += (Int(length) + 3) & ~3
    }
    return hops
  }
}

extension RouteHop {
  fileprivate mutating func take(_ type: Int, _ value: ByteView, family: AddressFamily) throws(MalformedMessage) {
    switch type {
    case RTA_OIF.number: interface = InterfaceIndex(try value.number())
    case RTA_GATEWAY.number: gateway = try value.address(family)
    case RTA_VIA.number:
      guard let other: UInt16 = value.integer(at: 0), let address = value.rest(from: 2) else {
        throw MalformedMessage()
      }
      // A gateway that is no IP address is none that could be compared.
      if let other = UInt8(exactly: other), let family = AddressFamily(number: other) {
        gateway = try address.address(family)
      }
    default: break
    }
  }
}
