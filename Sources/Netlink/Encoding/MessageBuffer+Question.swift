import CNetlink
import IPAddressing

/// What is asked for.
enum KernelQuestion: Hashable {
  case routes(AddressFamily, table: UInt32, origin: RouteProtocol?)
  case links
  case addresses
  case neighbours(AddressFamily, InterfaceIndex)
  case forwarding(InterfaceIndex)
  case nextHops
  case lookUp(IPAddress)
}

extension MessageBuffer {
  /// Appends a question in the form in which it has the kernel filter (routes specification, section 3.6).
  ///
  /// - Parameters:
  ///   - question: what is asked for.
  ///   - isStrict: whether the socket checks strictly; the forms differ.
  ///   - sequence: the number that answers carry.
  mutating func append(_ question: KernelQuestion, isStrict: Bool, sequence: UInt32) {
    switch question {
    case .routes(let family, let table, let origin):
      begin(RTM_GETROUTE, NLM_F_DUMP, sequence: sequence)
      putRouteQuestion(family, table: UInt8(exactly: table) ?? 0, origin: origin)
      if table > UInt32(UInt8.max) { attribute(RTA_TABLE.number, table) }
    case .links:
      beginLink(RTM_GETLINK, NLM_F_DUMP, sequence)
      // Counters of packets are most of a long answer.
      attribute(IFLA_EXT_MASK, UInt32(RTEXT_FILTER_SKIP_STATS))
    case .addresses:
      begin(RTM_GETADDR, NLM_F_DUMP, sequence: sequence)
      put(UInt64(0))
    case .neighbours(let family, let interface):
      begin(RTM_GETNEIGH, NLM_F_DUMP, sequence: sequence)
      putNeighbourHeader(family: family.number, InterfaceIndex(0))
      attribute(NDA_IFINDEX, interface.rawValue)
    case .forwarding(let interface) where isStrict:
      begin(RTM_GETNEIGH, NLM_F_DUMP, sequence: sequence)
      putNeighbourHeader(family: UInt8(AF_BRIDGE), interface)
    case .forwarding(let interface):
      beginLink(RTM_GETNEIGH, NLM_F_DUMP, sequence, family: UInt8(AF_BRIDGE), index: interface)
    case .nextHops:
      begin(RTM_GETNEXTHOP, NLM_F_DUMP, sequence: sequence)
      put(UInt64(0))
    case .lookUp(let address):
      begin(RTM_GETROUTE, 0, sequence: sequence)
      putRouteQuestion(address.family, destinationLength: UInt8(address.family.bitWidth))
      attribute(RTA_DST.number, address)
    }
    end()
  }

  private mutating func putRouteQuestion(
    _ family: AddressFamily, destinationLength: UInt8 = 0, table: UInt8 = 0, origin: RouteProtocol? = nil
  ) {
    put(family.number)
    put(destinationLength)
    put(UInt16(0))
    put(table)
    put(origin?.rawValue ?? 0)
    put(UInt16(0))
    put(UInt32(0))
  }
}
