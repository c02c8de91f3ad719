import CNetlink

/// Which events the kernel is to deliver: none of this process' own changes, and of neighbours those of certain devices
/// alone, because on a busy link they come and go all the time.
struct EventFilter {
  /// The number of the socket that changes are made through.
  var ownPort: UInt32
  /// The devices whose neighbours matter.
  var neighbourInterfaces: [InterfaceIndex] = []

  /// A classic BPF program over a message: it answers how many bytes of it are to be kept.
  var program: [sock_filter] {
    let own = [Self.load(BPF_W, at: 12), Self.unless(ownPort.byteSwapped, skip: 1), Self.drop]
    let types = [
      Self.load(BPF_H, at: 4),
      Self.when(UInt32(UInt16(RTM_NEWNEIGH).byteSwapped), skip: 2),
      Self.when(UInt32(UInt16(RTM_DELNEIGH).byteSwapped), skip: 1),
      Self.keep,
    ]
    // The interface of a `ndmsg`, behind the header of 16 bytes.
    var interfaces = [Self.load(BPF_W, at: 20)]
    for interface in neighbourInterfaces {
      interfaces += [Self.unless(interface.rawValue.byteSwapped, skip: 1), Self.keep]
    }
    return own + types + interfaces + [Self.drop]
  }

  /// Loads a number as if it were in network order: what is in host order has to be compared with its bytes swapped. A
  /// message that ends before it is dropped.
  private static func load(_ size: Int32, at offset: UInt32) -> sock_filter {
    instruction(BPF_LD | size | BPF_ABS, offset)
  }

  private static func when(_ value: UInt32, skip: UInt8) -> sock_filter {
    instruction(BPF_JMP | BPF_JEQ | BPF_K, value, whenTrue: skip)
  }

  private static func unless(_ value: UInt32, skip: UInt8) -> sock_filter {
    instruction(BPF_JMP | BPF_JEQ | BPF_K, value, whenFalse: skip)
  }

  private static let keep = instruction(BPF_RET | BPF_K, .max)
  private static let drop = instruction(BPF_RET | BPF_K, 0)

  private static func instruction(
    _ code: Int32, _ value: UInt32, whenTrue: UInt8 = 0, whenFalse: UInt8 = 0
  ) -> sock_filter {
    sock_filter(code: UInt16(code), jt: whenTrue, jf: whenFalse, k: value)
  }
}
