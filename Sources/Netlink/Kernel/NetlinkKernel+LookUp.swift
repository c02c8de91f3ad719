import CNetlink
import Glibc
public import IPAddressing

extension NetlinkKernel {
  /// Where a packet from this machine to an address would go.
  ///
  /// - Parameter address: the destination.
  /// - Returns: the way; a destination that is dropped, refused or not routed is ``RouteLookup/unreachable(errno:)``.
  /// - Throws: ``NetlinkError``.
  public func lookUp(_ address: IPAddress) throws(NetlinkError) -> RouteLookup {
    let attempt = "look up the route to \(address)"
    let sequence = try ask(.lookUp(address), attempt)
    var answer = LookUpAnswer(sequence: sequence)
    while !answer.isComplete {
      try receiveAnswer(attempt) { datagram throws(MalformedMessage) in try answer.read(datagram) }
    }
    if let refusal = answer.refusal {
      guard Self.absences.contains(refusal.errno) else {
        throw NetlinkError(.refused(refusal), attempt, errno: refusal.errno)
      }
      return .unreachable(errno: refusal.errno)
    }
    guard let route = answer.route else { throw NetlinkError(.malformed, attempt) }
    return RouteLookup(route)
  }

  /// The errors that stand for a route of a kind that drops packets, for none, or for one that cannot be used now.
  private static let absences: Set<Int32> = [
    EINVAL, EACCES, EHOSTUNREACH, ENETUNREACH, ENETDOWN, ENODEV, ENOENT, EAGAIN, EADDRNOTAVAIL,
  ]
}

extension RouteLookup {
  /// What the route that was found means for a packet.
  init(_ route: Route) {
    switch Int(route.kind.rawValue) {
    case RTN_UNICAST: self = .hop(route.hop ?? RouteHop())
    case RTN_LOCAL, RTN_ANYCAST: self = .local
    case RTN_PROHIBIT, RTN_BROADCAST: self = .unreachable(errno: EACCES)
    case RTN_UNREACHABLE: self = .unreachable(errno: EHOSTUNREACH)
    case RTN_THROW: self = .unreachable(errno: ENETUNREACH)
    default: self = .unreachable(errno: EINVAL)
    }
  }
}

/// The answer to one look-up: a route or an error.
private struct LookUpAnswer {
  let sequence: UInt32
  private(set) var route: Route?
  private(set) var refusal: KernelRefusal?
  private(set) var isComplete = false

  init(sequence: UInt32) {
    self.sequence = sequence
  }

  mutating func read(_ datagram: ByteView) throws(MalformedMessage) {
    try datagram.forEachMessage { message throws(MalformedMessage) in
      guard message.sequence == sequence else { return true }
      switch message.type {
      case RTM_NEWROUTE: route = try Route(message: message.payload, isLookUp: true)
      case Int(NLMSG_ERROR): refusal = try KernelRefusal(answer: message)
      default: return true
      }
      isComplete = true
      return false
    }
  }
}
