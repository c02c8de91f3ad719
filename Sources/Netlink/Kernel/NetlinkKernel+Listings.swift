import CNetlink
import Glibc
public import IPAddressing

extension NetlinkKernel {
  /// The routes of a table, of one protocol or of all; none for a table that does not exist.
  ///
  /// The kernel filters if it can. That it did is not taken for granted: each route is looked at again. An IPv6
  /// listing may miss some or tell them twice while others change routes.
  ///
  /// - Parameters:
  ///   - family: the family.
  ///   - table: the table.
  ///   - origin: the protocol; nil for all.
  /// - Returns: the routes, in the kernel's order.
  /// - Throws: ``NetlinkError``.
  public func routes(
    _ family: AddressFamily, table: UInt32, origin: RouteProtocol?
  ) throws(NetlinkError) -> [Route] {
    try list(.routes(family, table: table, origin: origin), RTM_NEWROUTE, "list routes", nothing: ENOENT) {
      message throws(MalformedMessage) in
      // Before anything is read from it: without a filter nearly all are somebody else's.
      if let origin, let found: UInt8 = message.integer(at: 5), found != origin.rawValue { return nil }
      if let flags: UInt32 = message.integer(at: 8), flags & UInt32(RTM_F_CLONED) != 0 { return nil }
      guard let route = try Route(message: message), route.key.table == table, route.key.family == family else {
        return nil
      }
      return route
    }
  }

  /// The network interfaces.
  public func links() throws(NetlinkError) -> [Link] {
    try list(.links, RTM_NEWLINK, "list network interfaces") { message throws(MalformedMessage) in
      try Link(message: message)
    }
  }

  /// The addresses of both families, of all interfaces.
  public func addresses() throws(NetlinkError) -> [InterfaceAddress] {
    try list(.addresses, RTM_NEWADDR, "list addresses") { message throws(MalformedMessage) in
      try InterfaceAddress(message: message)
    }
  }

  /// The neighbours of an interface, those that come and go included.
  public func neighbours(
    _ family: AddressFamily, of interface: InterfaceIndex
  ) throws(NetlinkError) -> [Neighbour] {
    try list(.neighbours(family, interface), RTM_NEWNEIGH, "list neighbours of interface \(interface)") {
      message throws(MalformedMessage) in
      guard let neighbour = try Neighbour(message: message) else { return nil }
      return neighbour.interface == interface && neighbour.address.family == family ? neighbour : nil
    }
  }

  /// The forwarding entries of an interface.
  public func forwarding(of interface: InterfaceIndex) throws(NetlinkError) -> [ForwardingEntry] {
    try list(.forwarding(interface), RTM_NEWNEIGH, "list forwarding entries of interface \(interface)") {
      message throws(MalformedMessage) in
      guard let entry = try ForwardingEntry(message: message) else { return nil }
      return entry.interface == interface ? entry : nil
    }
  }

  /// The nexthop objects of one protocol; none on a kernel that has no such objects.
  public func nextHops(origin: RouteProtocol) throws(NetlinkError) -> [NextHop] {
    try list(.nextHops, RTM_NEWNEXTHOP, "list nexthop objects", nothing: EOPNOTSUPP) {
      message throws(MalformedMessage) in
      let object = try NextHop(message: message)
      return object.origin == origin ? object : nil
    }
  }

  /// Whether the kernel has nexthop objects (from 5.3 on), found out by asking for them.
  public func supportsNextHopObjects() throws(NetlinkError) -> Bool {
    do {
      _ = try list(.nextHops, RTM_NEWNEXTHOP, "list nexthop objects") { _ -> NextHop? in nil }
      return true
    } catch {
      guard case .refused(let refusal) = error.code, refusal.errno == EOPNOTSUPP else { throw error }
      return false
    }
  }

  // MARK: Exchange

  /// How often a listing is repeated that changed under way.
  private static let patience = 5

  /// Lists what a question asks for.
  ///
  /// - Parameters:
  ///   - question: the question.
  ///   - type: the type of the answers.
  ///   - attempt: what is attempted, in errors.
  ///   - nothing: the error that says that there is none.
  ///   - decode: makes an element of an answer; nil for one that was not asked for.
  /// - Returns: the elements, in the kernel's order.
  /// - Throws: ``NetlinkError``.
  func list<Element>(
    _ question: KernelQuestion, _ type: Int, _ attempt: String, nothing: Int32? = nil,
    _ decode: (ByteView) throws(MalformedMessage) -> Element?
  ) throws(NetlinkError) -> [Element] {
    for _ in 0...Self.patience {
      let listing = try dump(question, type, attempt, decode)
      if let refusal = listing.refusal {
        if refusal.errno == nothing { return [] }
        throw NetlinkError(.refused(refusal), attempt, errno: refusal.errno)
      }
      if !listing.isInterrupted { return listing.elements }
    }
    throw NetlinkError(.interrupted, attempt)
  }

  private func dump<Element>(
    _ question: KernelQuestion, _ type: Int, _ attempt: String,
    _ decode: (ByteView) throws(MalformedMessage) -> Element?
  ) throws(NetlinkError) -> Listing<Element> {
    var listing = Listing<Element>(sequence: try ask(question, attempt), type: type)
    statistics.dumps += 1
    while !listing.isComplete {
      try receiveAnswer(attempt) { datagram throws(MalformedMessage) in try listing.read(datagram, decode) }
    }
    return listing
  }

  /// Sends a question, and gives its number.
  func ask(_ question: KernelQuestion, _ attempt: String) throws(NetlinkError) -> UInt32 {
    let sequence = nextSequence()
    messages.truncate(to: 0)
    messages.append(question, isStrict: isStrict, sequence: sequence)
    try reader.send(messages, attempt)
    return sequence
  }

  /// Receives one answer. After a failure the socket is another one, so that the rest of the answer disturbs nobody.
  func receiveAnswer(
    _ attempt: String, _ read: (ByteView) throws(MalformedMessage) -> Void
  ) throws(NetlinkError) {
    let reception: NetlinkSocket.Reception
    do {
      reception = try reader.receive(wait: true, attempt)
    } catch {
      try reopenReader()
      throw error
    }
    switch reception {
    case .datagram(let datagram):
      do {
        try read(datagram)
      } catch {
        try reopenReader()
        throw NetlinkError(.malformed, attempt)
      }
    case .nothing:
      try reopenReader()
      throw NetlinkError(.timeout, attempt)
    case .overflow:
      statistics.overflows += 1
      try reopenReader()
      throw NetlinkError(.overflow, attempt, errno: ENOBUFS)
    }
  }
}
