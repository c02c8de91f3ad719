import CNetlink
import IPAddressing

/// Messages to the kernel, one behind the other in memory that is allocated once.
///
///     message    | length 4 | type 2 | flags 2 | sequence 4 | port 4 | fixed part | attributes ... |
///     attribute  | length 2 | type 2 | value | zeros up to a multiple of 4 |
///
/// Lengths count their headers but no padding behind. Numbers are in host order, addresses in network order. What does
/// not fit is left out, and told by ``hasOverflowed``.
struct MessageBuffer: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer
  /// How many bytes may be used.
  private let capacity: Int
  private(set) var count = 0
  /// Where the last message begins.
  private(set) var start = 0
  /// Whether something did not fit since the last ``truncate(to:)``.
  private(set) var hasOverflowed = false

  init(capacity: Int) {
    memory = .allocate(byteCount: capacity, alignment: 16)
    self.capacity = capacity
  }

  deinit { memory.deallocate() }

  /// The messages; valid until the next change.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

  /// Forgets what is behind a place, 0 for everything.
  mutating func truncate(to count: Int) {
    self.count = count
    hasOverflowed = false
  }

  // MARK: Messages

  mutating func begin(_ type: Int, _ flags: Int32, sequence: UInt32) {
    start = count
    put(UInt32(0))
    put(UInt16(truncatingIfNeeded: type))
    put(UInt16(truncatingIfNeeded: flags | NLM_F_REQUEST))
    put(sequence)
    put(UInt32(0))
  }

  /// Ends the message that was begun. All parts of one are padded, so the next begins where it must.
  mutating func end() {
    guard !hasOverflowed else { return }
    memory.storeBytes(of: UInt32(truncatingIfNeeded: count - start), toByteOffset: start, as: UInt32.self)
  }

  /// Has the last message answered even if it is done.
  mutating func acknowledge(messageAt place: Int) {
    let flags = memory.loadUnaligned(fromByteOffset: place + 6, as: UInt16.self)
    memory.storeBytes(of: flags | UInt16(NLM_F_ACK), toByteOffset: place + 6, as: UInt16.self)
  }

  // MARK: Parts

  /// A number in host order.
  mutating func put(_ value: some FixedWidthInteger) {
    let size = value.bitWidth / 8
    guard size <= capacity - count else {
      hasOverflowed = true
      return
    }
    memory.storeBytes(of: value, toByteOffset: count, as: type(of: value))
    count += size
  }

  private mutating func put(_ value: some Collection<UInt8>) {
    guard value.count <= capacity - count else {
      hasOverflowed = true
      return
    }
    for byte in value {
      memory[count] = byte
      count += 1
    }
  }

  private mutating func pad() {
    while count & 3 != 0, !hasOverflowed { put(UInt8(0)) }
  }

  private mutating func header(_ type: Int, size: Int) {
    guard size <= Int(UInt16.max) - 4 else {
      hasOverflowed = true
      return
    }
    put(UInt16(size + 4))
    put(UInt16(truncatingIfNeeded: type))
  }

  /// An attribute with a number in host order.
  mutating func attribute(_ type: Int, _ value: some FixedWidthInteger) {
    header(type, size: value.bitWidth / 8)
    put(value)
    pad()
  }

  mutating func attribute(_ type: Int, _ address: IPAddress) {
    header(type, size: address.family.bitWidth / 8)
    put(address)
  }

  mutating func attribute(_ type: Int, _ address: HardwareAddress) {
    header(type, size: 6)
    put(UInt16(truncatingIfNeeded: address.number >> 32).bigEndian)
    put(UInt32(truncatingIfNeeded: address.number).bigEndian)
    pad()
  }

  /// An attribute with a text and the zero behind it.
  mutating func attribute(_ type: Int, _ text: String) {
    header(type, size: text.utf8.count + 1)
    put(text.utf8)
    put(UInt8(0))
    pad()
  }

  /// An address in network order.
  mutating func put(_ address: IPAddress) {
    switch address.family {
    case .v4: put(UInt32(truncatingIfNeeded: address.number).bigEndian)
    case .v6: put(address.number.bigEndian)
    }
  }

  /// Begins an attribute that consists of attributes; ended by ``endNest(_:)`` with what this gives.
  mutating func beginNest(_ type: Int) -> Int {
    let place = count
    header(type | Int(NLA_F_NESTED), size: 0)
    return place
  }

  /// Begins an attribute that consists of attributes, of a kind that is not marked so.
  mutating func beginPlainNest(_ type: Int) -> Int {
    let place = count
    header(type, size: 0)
    return place
  }

  mutating func endNest(_ place: Int) {
    guard !hasOverflowed, count - place <= Int(UInt16.max) else {
      hasOverflowed = true
      return
    }
    memory.storeBytes(of: UInt16(count - place), toByteOffset: place, as: UInt16.self)
  }
}

extension AddressFamily {
  /// The number of the family in messages (`AF_INET`, `AF_INET6`).
  var number: UInt8 { self == .v4 ? 2 : 10 }
}

extension rtattr_type_t {
  var number: Int { Int(rawValue) }
}
