import CNetlink
import Glibc

/// The routing tables of the running kernel, in the network namespace of the thread that opened this.
///
/// One thread uses it. It keeps three sockets, because an answer, a listing and an event may each take the room of the
/// others: one for changes, one for questions and one for events, which are received from before the first listing on.
public final class NetlinkKernel {
  /// What was exchanged so far.
  public internal(set) var statistics = NetlinkStatistics()

  private let timeout: Int
  private let answerRoom: Int
  private let wantsStrictChecks: Bool

  /// For changes.
  private(set) var writer: NetlinkSocket
  /// For questions.
  private(set) var reader: NetlinkSocket
  let listener: NetlinkSocket
  private var filter: EventFilter
  /// Whether the kernel checks questions strictly, and filters what it lists.
  private(set) var isStrict = false

  var messages: MessageBuffer
  private var lastSequence: UInt32 = 0
  /// How many messages the next batch may have: fewer after answers were lost, until some have come through.
  private(set) var batchLimit: Int

  /// Opens the sockets, and begins to collect events.
  ///
  /// Reading needs no capability. Changes need CAP_NET_ADMIN: without it they are refused one by one.
  ///
  /// - Parameters:
  ///   - seconds: how long to wait for an answer of the kernel, at least 1.
  ///   - eventRoom: the memory for events that have not been read, in bytes. One of an IPv4 route takes 832, one of an
  ///     IPv6 route 1280; the kernel gives twice as much as asked for.
  ///   - answerRoom: the memory for answers, in bytes; with too little of it batches are smaller.
  ///   - checksStrictly: whether to ask for strict checks; false for the ways of a kernel before 4.20.
  /// - Throws: ``NetlinkError/Code/unusable``.
  public init(
    timeout seconds: Int = 10, eventRoom: Int = 16 << 20, answerRoom: Int = 1 << 20, checksStrictly: Bool = true
  ) throws(NetlinkError) {
    timeout = max(1, seconds)
    self.answerRoom = answerRoom
    wantsStrictChecks = checksStrictly
    writer = try NetlinkSocket("a socket for changes", room: answerRoom, timeout: timeout)
    reader = try NetlinkSocket("a socket for questions", room: answerRoom, timeout: timeout)
    listener = try NetlinkSocket("a socket for events", room: eventRoom, timeout: timeout)
    filter = EventFilter(ownPort: writer.port)
    batchLimit = Self.batchLimit(writer)
    messages = MessageBuffer(capacity: Self.batchSize(writer))
    isStrict = wantsStrictChecks && reader.checkStrictly()
    try listen()
  }

  private func listen() throws(NetlinkError) {
    try listener.setFilter(filter.program)
    for group in [
      RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE,
    ] {
      try listener.join(group)
    }
    do {
      try listener.join(RTNLGRP_NEXTHOP)
    } catch {
      // A kernel without nexthop objects (before 5.3) has no events of them.
      guard error.errno == EINVAL else { throw error }
    }
  }

  /// Chooses the interfaces whose neighbours ``events()`` tells of: none at first, because on a busy link neighbours
  /// come and go all the time. At most 1000.
  ///
  /// - Parameter interfaces: the interfaces.
  /// - Throws: ``NetlinkError/Code/unusable``.
  public func watchNeighbours(of interfaces: Set<InterfaceIndex>) throws(NetlinkError) {
    var changed = filter
    changed.neighbourInterfaces = interfaces.sorted()
    try setFilter(changed)
  }

  private func setFilter(_ changed: EventFilter) throws(NetlinkError) {
    try listener.setFilter(changed.program)
    filter = changed
  }

  /// The number for the next message.
  func nextSequence() -> UInt32 {
    lastSequence &+= 1
    return lastSequence
  }

  // MARK: Limits

  /// So many messages that, were all of them refused, the answers would find room: 832 bytes each were measured, and the
  /// last one to be dropped would be the one that is waited for.
  private static func batchLimit(_ socket: NetlinkSocket) -> Int { max(1, min(512, socket.receiveCapacity / 900)) }

  /// As many bytes as can be sent at once, and no more than 512 of the longest usual messages take.
  private static func batchSize(_ socket: NetlinkSocket) -> Int { max(4096, min(1 << 17, socket.sendCapacity - 32)) }

  /// Takes note of whether the answers of a batch found room.
  func adjustBatchLimit(hasOverflowed: Bool) {
    batchLimit = hasOverflowed ? max(1, batchLimit / 2) : min(batchLimit * 2, Self.batchLimit(writer))
  }

  // MARK: Sockets made anew

  /// Replaces the socket for changes by one that no late answer comes to. Its own changes go on being left out of the
  /// events: the filter knows the new number before anything is sent.
  func reopenWriter() throws(NetlinkError) {
    let socket = try NetlinkSocket("a socket for changes", room: answerRoom, timeout: timeout)
    var changed = filter
    changed.ownPort = socket.port
    try setFilter(changed)
    writer = socket
    batchLimit = min(batchLimit, Self.batchLimit(socket))
  }

  /// Replaces the socket for questions: the kernel does not begin a dump on one that has not seen another to its end.
  func reopenReader() throws(NetlinkError) {
    reader = try NetlinkSocket("a socket for questions", room: answerRoom, timeout: timeout)
    isStrict = wantsStrictChecks && reader.checkStrictly()
  }
}
