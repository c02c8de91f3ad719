import CNetlink
import IPAddressing

/// What neighbours and forwarding entries have in common (`ndmsg` and attributes).
private struct NeighbourMessage {
  let family: UInt8
  let interface: InterfaceIndex
  let isPermanent: Bool
  let flags: UInt8
  var destination: ByteView?
  var hardwareAddress: HardwareAddress?

  init(_ message: ByteView) throws(MalformedMessage) {
    guard
      let family: UInt8 = message.integer(at: 0),
      let interface: UInt32 = message.integer(at: 4),
      let state: UInt16 = message.integer(at: 8),
      let flags: UInt8 = message.integer(at: 10),
      message.count >= 12
    else { throw MalformedMessage() }
    self.family = family
    self.interface = InterfaceIndex(interface)
    self.flags = flags
    isPermanent = state & UInt16(NUD_PERMANENT) != 0
    try message.forEachAttribute(from: 12) { type, value throws(MalformedMessage) in
      switch type {
      case NDA_DST: destination = value
      case NDA_LLADDR: hardwareAddress = HardwareAddress(octets: value.bytes)
      default: break
      }
    }
  }
}

extension Neighbour {
  /// Reads a neighbour; nil for an entry of another table: one of a bridge, or an address answered for on behalf of others.
  init?(message: ByteView) throws(MalformedMessage) {
    let message = try NeighbourMessage(message)
    guard let family = AddressFamily(number: message.family), message.flags & UInt8(NTF_PROXY) == 0 else { return nil }
    guard let destination = message.destination else { throw MalformedMessage() }
    self.init(
      interface: message.interface, address: try destination.address(family),
      hardwareAddress: message.hardwareAddress, isPermanent: message.isPermanent)
  }
}

extension ForwardingEntry {
  /// Reads a forwarding entry; nil for an entry of another table, and for one without an Ethernet address.
  init?(message: ByteView) throws(MalformedMessage) {
    let message = try NeighbourMessage(message)
    guard message.family == UInt8(AF_BRIDGE), let hardwareAddress = message.hardwareAddress else { return nil }
    self.init(
      interface: message.interface, hardwareAddress: hardwareAddress,
      destination: message.destination?.addressOfAnyFamily, isPermanent: message.isPermanent)
  }
}

extension NextHop {
  /// Reads a nexthop object from a message (`nhmsg` and attributes).
  init(message: ByteView) throws(MalformedMessage) {
    guard
      let family: UInt8 = message.integer(at: 0),
      let origin: UInt8 = message.integer(at: 2),
      let flags: UInt32 = message.integer(at: 4)
    else { throw MalformedMessage() }
    var id: UInt32?
    var hop = RouteHop(isOnLink: flags & UInt32(RTNH_F_ONLINK) != 0)
    try message.forEachAttribute(from: 8) { type, value throws(MalformedMessage) in
      switch type {
      case NHA_ID: id = try value.number()
      case NHA_OIF: hop.interface = InterfaceIndex(try value.number())
      case NHA_GATEWAY:
        if let family = AddressFamily(number: family) { hop.gateway = try value.address(family) }
      default: break
      }
    }
    guard let id else { throw MalformedMessage() }
    // Groups and blackholes have no device.
    self.init(id: id, origin: RouteProtocol(origin), hop: hop.interface == nil ? nil : hop)
  }
}
