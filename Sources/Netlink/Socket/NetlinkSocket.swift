import CNetlink
import Glibc

/// A connection to the kernel's routing tables, with the memory that it receives into.
///
/// libnl keeps the socket. What comes in is read here, because libnl's own loop loses the kernel's error numbers and
/// overlooks errors at the end of a listing (routes specification, section 3.2).
final class NetlinkSocket {
  private let handle: OpaquePointer
  private let memory: UnsafeMutableRawBufferPointer
  let descriptor: CInt
  /// The number by which the kernel knows the socket; changes made through it are marked with it.
  let port: UInt32
  /// The memory that the kernel keeps for what has not been read, in bytes as it counts them.
  private(set) var receiveCapacity = 0
  /// The memory that the kernel keeps for one message to it.
  private(set) var sendCapacity = 0

  /// What was received.
  enum Reception {
    /// Messages; valid until the next one is received.
    case datagram(ByteView)
    /// There is nothing, and the time to wait is over.
    case nothing
    /// Messages were lost for want of room, the kernel's or this one's.
    case overflow
  }

  /// Opens a socket.
  ///
  /// - Parameters:
  ///   - purpose: what it is for, in errors.
  ///   - room: the memory to ask the kernel for, in bytes; without the capability it gives less.
  ///   - seconds: how long to wait for an answer.
  /// - Throws: ``NetlinkError/Code/unusable``.
  init(_ purpose: String, room: Int, timeout seconds: Int) throws(NetlinkError) {
    guard let handle = nl_socket_alloc() else { throw NetlinkError(.unusable, "open \(purpose)", errno: ENOMEM) }
    guard nl_connect(handle, NETLINK_ROUTE) == 0 else {
      let error = NetlinkError(.unusable, "open \(purpose)", errno: errno)
      nl_socket_free(handle)
      throw error
    }
    self.handle = handle
    descriptor = nl_socket_get_fd(handle)
    port = nl_socket_get_local_port(handle)
    // The kernel fills at most 32 KiB at once; one message of a link with many queues may need more.
    memory = .allocate(byteCount: 1 << 16, alignment: 16)
    receiveCapacity = setRoom(room, SO_RCVBUFFORCE, SO_RCVBUF)
    sendCapacity = setRoom(room, SO_SNDBUFFORCE, SO_SNDBUF)
    let patience = timeval(tv_sec: seconds, tv_usec: 0)
    try setOption(SOL_SOCKET, SO_RCVTIMEO, patience, "open \(purpose)")
    // Kernels without one of them answer with fewer words, and in full.
    _ = trySetOption(SOL_NETLINK, NETLINK_EXT_ACK, Int32(1))
    _ = trySetOption(SOL_NETLINK, NETLINK_CAP_ACK, Int32(1))
  }

  deinit {
    nl_socket_free(handle)
    memory.deallocate()
  }

  // MARK: Settings

  /// Has questions checked strictly, and so answered with what was asked for alone; false on a kernel that cannot
  /// (before 4.20).
  func checkStrictly() -> Bool { trySetOption(SOL_NETLINK, NETLINK_GET_STRICT_CHK, Int32(1)) }

  /// Has events of a group delivered.
  func join(_ group: rtnetlink_groups) throws(NetlinkError) {
    guard nl_socket_add_membership(handle, Int32(group.rawValue)) == 0 else {
      throw NetlinkError(.unusable, "subscribe to the kernel's events of group \(group.rawValue)", errno: errno)
    }
  }

  /// Has a program decide in the kernel what is delivered.
  func setFilter(_ program: [sock_filter]) throws(NetlinkError) {
    var program = program
    let failure = program.withUnsafeMutableBufferPointer { buffer in
      let description = sock_fprog(len: UInt16(buffer.count), filter: buffer.baseAddress)
      return trySetOption(SOL_SOCKET, SO_ATTACH_FILTER, description) ? 0 : errno
    }
    guard failure == 0 else { throw NetlinkError(.unusable, "filter the kernel's events", errno: failure) }
  }

  private func setRoom(_ bytes: Int, _ force: Int32, _ usual: Int32) -> Int {
    if !trySetOption(SOL_SOCKET, force, Int32(clamping: bytes)) {
      // Without the capability up to a limit of the whole machine (net.core.rmem_max, wmem_max).
      _ = trySetOption(SOL_SOCKET, usual, Int32(clamping: bytes))
    }
    var room: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    // Cannot fail on an open socket; 0 would make batches of one.
    return getsockopt(descriptor, SOL_SOCKET, usual, &room, &size) == 0 ? Int(room) : 0
  }

  private func trySetOption<Value: BitwiseCopyable>(_ level: Int32, _ option: Int32, _ value: Value) -> Bool {
    withUnsafeBytes(of: value) {
      setsockopt(descriptor, level, option, $0.baseAddress, socklen_t($0.count)) == 0
    }
  }

  private func setOption<Value: BitwiseCopyable>(
    _ level: Int32, _ option: Int32, _ value: Value, _ attempt: String
  ) throws(NetlinkError) {
    guard trySetOption(level, option, value) else { throw NetlinkError(.unusable, attempt, errno: errno) }
  }

  // MARK: Exchange

  /// Sends messages. The kernel acts upon them before this returns, and answers into the socket's memory.
  func send(_ messages: borrowing MessageBuffer, _ attempt: @autoclosure () -> String) throws(NetlinkError) {
    while true {
      let bytes = messages.bytes
      // libnl does not write to what it sends.
      let sent = nl_sendto(handle, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
      if sent >= 0 { return }
      let failure = errno
      if failure != EINTR { throw NetlinkError(.unusable, attempt(), errno: failure) }
    }
  }

  /// Receives one datagram of the kernel.
  func receive(wait: Bool, _ attempt: @autoclosure () -> String) throws(NetlinkError) -> Reception {
    while true {
      var sender = sockaddr_nl()
      var senderSize = socklen_t(MemoryLayout<sockaddr_nl>.size)
      let flags = Int32(MSG_TRUNC) | (wait ? 0 : Int32(MSG_DONTWAIT))
      let count = withUnsafeMutablePointer(to: &sender) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          recvfrom(descriptor, memory.baseAddress, memory.count, flags, $0, &senderSize)
        }
      }
      if count < 0 {
        switch errno {
        case EINTR: continue
        case EAGAIN: return .nothing
        case ENOBUFS: return .overflow
        default: throw NetlinkError(.unusable, attempt(), errno: errno)
        }
      }
      // Other programs can send here as well; only the kernel has number 0.
      if sender.nl_pid != 0 { continue }
      guard count <= memory.count else { return .overflow }
      return .datagram(ByteView(UnsafeRawBufferPointer(rebasing: memory[..<count])))
    }
  }

  /// Throws away all that has been received.
  func drain() throws(NetlinkError) {
    while true {
      if case .nothing = try receive(wait: false, "drop answers") { return }
    }
  }
}
