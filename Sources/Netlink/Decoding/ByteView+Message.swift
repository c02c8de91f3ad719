import CNetlink
import IPAddressing

/// One message of the kernel.
struct KernelMessage {
  let type: Int
  let flags: Int32
  let sequence: UInt32
  /// What is behind the header.
  let payload: ByteView
}

extension ByteView {
  /// Gives the messages of a datagram one by one, until `body` answers false.
  func forEachMessage(_ body: (KernelMessage) throws(MalformedMessage) -> Bool) throws(MalformedMessage) {
    var offset = 0
    while offset < count {
      guard
        let length = integer(at: offset, as: UInt32.self), length >= 16,
        let type = integer(at: offset + 4, as: UInt16.self),
        let flags = integer(at: offset + 6, as: UInt16.self),
        let sequence = integer(at: offset + 8, as: UInt32.self),
        let payload = part(from: offset + 16, count: Int(length) - 16)
      else { throw MalformedMessage() }
      let message = KernelMessage(type: Int(type), flags: Int32(flags), sequence: sequence, payload: payload)
      guard try body(message) else { return }
      offset += (Int(length) + 3) & ~3
    }
  }

  /// Gives the attributes behind a fixed part one by one, their marks (`NLA_F_NESTED`) taken off the type.
  func forEachAttribute(
    from start: Int = 0, _ body: (Int, ByteView) throws(MalformedMessage) -> Void
  ) throws(MalformedMessage) {
    var offset = start
    // Fewer bytes than a header are padding.
    while count - offset >= 4 {
      guard
        let length = integer(at: offset, as: UInt16.self), length >= 4,
        let type = integer(at: offset + 2, as: UInt16.self),
        let value = part(from: offset + 4, count: Int(length) - 4)
      else { throw MalformedMessage() }
      try body(Int(type & 0x3FFF), value)
      offset += (Int(length) + 3) & ~3
    }
  }

  /// The address of a family that is all of the bytes.
  func address(_ family: AddressFamily) throws(MalformedMessage) -> IPAddress {
    guard count == family.bitWidth / 8 else { throw MalformedMessage() }
    let number =
      switch family {
      case .v4: UInt128(UInt32(bigEndian: try self.number()))
      case .v6: UInt128(bigEndian: try self.number())
      }
    // Not made by init(v6:), which takes an IPv4-mapped address out of its family.
    guard let address = IPAddress(family, number: number) else { throw MalformedMessage() }
    return address
  }

  /// The address that is all of the bytes, of the family that it is as long as; nil for any other length.
  var addressOfAnyFamily: IPAddress? {
    switch count {
    case 4: try? address(.v4)
    case 16: try? address(.v6)
    default: nil
    }
  }
}

extension AddressFamily {
  /// The family of a number in messages; nil for one without IP addresses.
  init?(number: UInt8) {
    switch number {
    case AddressFamily.v4.number: self = .v4
    case AddressFamily.v6.number: self = .v6
    default: return nil
    }
  }
}
