import CNetlink
import IPAddressing

extension MessageBuffer {
  /// Appends the message that makes a change; for some changes of links two of the same number.
  mutating func append(_ change: KernelChange, sequence: UInt32) {
    switch change {
    case .addRoute(let route):
      appendRoute(route, NLM_F_CREATE | NLM_F_EXCL, sequence)
    case .replaceRoute(let route):
      appendRoute(route, Self.createOrReplace, sequence)
    case .deleteRoute(let route):
      appendRouteDeletion(route, sequence)
    case .replaceNeighbour(let neighbour):
      appendNeighbour(RTM_NEWNEIGH, neighbour, Self.createOrReplace, sequence)
    case .deleteNeighbour(let neighbour):
      appendNeighbour(RTM_DELNEIGH, neighbour, 0, sequence)
    case .replaceForwarding(let entry):
      appendForwarding(RTM_NEWNEIGH, entry, Self.createOrReplace, sequence)
    case .deleteForwarding(let entry):
      appendForwarding(RTM_DELNEIGH, entry, 0, sequence)
    case .replaceNextHop(let object):
      appendNextHop(object, sequence)
    case .deleteNextHop(let id):
      appendNextHopDeletion(id, sequence)
    case .createLink(let link):
      appendNewLink(link, sequence)
    case .changeLink(let index, let change):
      appendLinkChange(index, change, sequence)
    case .deleteLink(let index):
      beginLink(RTM_DELLINK, 0, sequence, index: index)
      end()
    case .addAddress(let address):
      appendAddress(RTM_NEWADDR, address, Self.createOrReplace, sequence)
    case .deleteAddress(let address):
      appendAddress(RTM_DELADDR, address, 0, sequence)
    }
  }

  private static let createOrReplace = NLM_F_CREATE | NLM_F_REPLACE

  // MARK: Neighbours

  private mutating func appendNeighbour(_ type: Int, _ neighbour: Neighbour, _ flags: Int32, _ sequence: UInt32) {
    begin(type, flags, sequence: sequence)
    putNeighbourHeader(
      family: neighbour.address.family.number, neighbour.interface, state: type == RTM_NEWNEIGH ? NUD_PERMANENT : 0,
      flags: 0, kind: RTN_UNICAST)
    attribute(NDA_DST, neighbour.address)
    if type == RTM_NEWNEIGH, let hardwareAddress = neighbour.hardwareAddress {
      attribute(NDA_LLADDR, hardwareAddress)
    }
    end()
  }

  private mutating func appendForwarding(_ type: Int, _ entry: ForwardingEntry, _ flags: Int32, _ sequence: UInt32) {
    begin(type, flags, sequence: sequence)
    // Without NTF_SELF the entry would be one of a bridge above the device.
    putNeighbourHeader(
      family: UInt8(AF_BRIDGE), entry.interface, state: type == RTM_NEWNEIGH ? NUD_PERMANENT : 0, flags: NTF_SELF,
      kind: 0)
    if let destination = entry.destination { attribute(NDA_DST, destination) }
    attribute(NDA_LLADDR, entry.hardwareAddress)
    end()
  }

  /// The fixed part of neighbours and forwarding entries (`ndmsg`).
  mutating func putNeighbourHeader(
    family: UInt8, _ interface: InterfaceIndex, state: Int32 = 0, flags: Int32 = 0, kind: Int = 0
  ) {
    put(UInt32(family))
    put(interface.rawValue)
    put(UInt16(truncatingIfNeeded: state))
    put(UInt8(truncatingIfNeeded: flags))
    put(UInt8(truncatingIfNeeded: kind))
  }

  // MARK: Nexthop objects

  private mutating func appendNextHop(_ object: NextHop, _ sequence: UInt32) {
    begin(RTM_NEWNEXTHOP, Self.createOrReplace, sequence: sequence)
    // One without a gateway can be of either family; IPv4 routes and IPv6 routes then need objects of their own.
    put(object.hop?.gateway?.family.number ?? AddressFamily.v4.number)
    put(UInt8(0))
    put(object.origin.rawValue)
    put(UInt8(0))
    put(object.hop?.isOnLink == true ? UInt32(RTNH_F_ONLINK) : 0)
    attribute(NHA_ID, object.id)
    if let interface = object.hop?.interface { attribute(NHA_OIF, interface.rawValue) }
    if let gateway = object.hop?.gateway { attribute(NHA_GATEWAY, gateway) }
    end()
  }

  /// All of the fixed part must be zero, the protocol included.
  private mutating func appendNextHopDeletion(_ id: UInt32, _ sequence: UInt32) {
    begin(RTM_DELNEXTHOP, 0, sequence: sequence)
    put(UInt64(0))
    attribute(NHA_ID, id)
    end()
  }

  // MARK: Addresses

  private mutating func appendAddress(_ type: Int, _ address: InterfaceAddress, _ flags: Int32, _ sequence: UInt32) {
    begin(type, flags, sequence: sequence)
    put(address.address.family.number)
    put(UInt8(truncatingIfNeeded: address.prefixLength))
    // An address given out by IPAM is nobody else's: it can be used at once, without asking the link.
    put(address.address.family == .v6 && type == RTM_NEWADDR ? UInt8(IFA_F_NODAD) : 0)
    put(address.scope)
    put(address.interface.rawValue)
    attribute(IFA_LOCAL, address.address)
    attribute(IFA_ADDRESS, address.address)
    end()
  }
}
