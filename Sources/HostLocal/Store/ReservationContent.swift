import CNI
import IPAM

/// What stands in a reservation: whom the address belongs to (host-local specification, sections 4.2 and 4.5).
public enum ReservationContent: Hashable, Sendable {
  /// The container ID, CR, LF and the interface name.
  case attachment(containerID: [UInt8], interfaceName: [UInt8])
  /// A container ID alone, as releases wrote it before interface names were recorded. Alive.
  case container([UInt8])
  /// Nothing, or only NUL bytes: what power loss, or a process killed between creating and writing, leaves behind.
  case damaged

  /// Reads a file's content; white space around it does not count.
  public init(_ bytes: [UInt8]) {
    guard !bytes.allSatisfy({ $0 == 0 }) else {
      self = .damaged
      return
    }
    let trimmed = Self.trimmed(bytes)
    guard let cut = trimmed.indices.dropLast().first(where: { trimmed[$0] == 13 && trimmed[$0 + 1] == 10 }) else {
      self = .container(Array(trimmed))
      return
    }
    self = .attachment(containerID: Array(trimmed[..<cut]), interfaceName: Array(trimmed[(cut + 2)...]))
  }

  /// The bytes that a reservation of `attachment` holds.
  static func bytes(for attachment: Attachment) -> [UInt8] {
    Array(attachment.containerID.utf8) + [13, 10] + attachment.interfaceName.bytes
  }

  /// The content without white space at its ends, in the sense of Unicode.
  static func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    // Nearly every content begins and ends in ASCII that is no white space.
    if let first = bytes.first, let last = bytes.last, (0x21...0x7E).contains(first), (0x21...0x7E).contains(last) {
      return bytes[...]
    }
    var scalars = [(scalar: Unicode.Scalar, range: Range<Int>)]()
    var decoder = UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var place = 0
    decoding: while true {
      switch decoder.parseScalar(from: &iterator) {
      case .valid(let encoded):
        scalars.append((UTF8.decode(encoded), place..<(place + encoded.count)))
        place += encoded.count
      case .error(let length):
        scalars.append(("\u{FFFD}", place..<(place + length)))
        place += length
      case .emptyInput: break decoding
      }
    }
    guard let first = scalars.first(where: { !WhiteSpace.contains($0.scalar) }),
      let last = scalars.last(where: { !WhiteSpace.contains($0.scalar) })
    else { return [] }
    return bytes[first.range.lowerBound..<last.range.upperBound]
  }

  /// A digest by which the table finds contents (FNV-1a, 64 bits). Whoever finds one reads the file to be sure.
  static func digest(_ trimmed: some Sequence<UInt8>) -> UInt64 {
    var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in trimmed { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return digest
  }
}
