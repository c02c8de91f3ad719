import CNetlink

extension KernelEvent {
  /// Reads an event; nil for a message about something that nobody here wants to know.
  init?(message: KernelMessage) throws(MalformedMessage) {
    let payload = message.payload
    switch message.type {
    case RTM_NEWROUTE, RTM_DELROUTE:
      // A route that the kernel keeps for one destination, not one of a table.
      if let flags: UInt32 = payload.integer(at: 8), flags & UInt32(RTM_F_CLONED) != 0 { return nil }
      guard let route = try Route(message: payload) else { return nil }
      self =
        message.type == RTM_DELROUTE
        ? .routeGone(route) : .route(route, replacesAnother: message.flags & NLM_F_REPLACE != 0)
    case RTM_NEWLINK, RTM_DELLINK:
      guard let link = try Link(message: payload) else { return nil }
      self = message.type == RTM_NEWLINK ? .link(link) : .linkGone(link)
    case RTM_NEWADDR, RTM_DELADDR:
      guard let address = try InterfaceAddress(message: payload) else { return nil }
      self = message.type == RTM_NEWADDR ? .address(address) : .addressGone(address)
    case RTM_NEWNEIGH, RTM_DELNEIGH:
      guard let neighbour = try Neighbour(message: payload) else { return nil }
      self = message.type == RTM_NEWNEIGH ? .neighbour(neighbour) : .neighbourGone(neighbour)
    case RTM_NEWNEXTHOP, RTM_DELNEXTHOP:
      let object = try NextHop(message: payload)
      self = message.type == RTM_NEWNEXTHOP ? .nextHop(object) : .nextHopGone(object)
    default:
      return nil
    }
  }
}
