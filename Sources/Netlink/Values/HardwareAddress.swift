/// An Ethernet address: six octets.
public struct HardwareAddress: Hashable, Sendable {
  /// The octets as a number, the first one most significant; below 2^48.
  public let number: UInt64

  /// An address of six octets; nil for any other count.
  public init?(octets: some Collection<UInt8>) {
    guard octets.count == 6 else { return nil }
    number = octets.reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Reads `66:93:7f:54:d5:53`, in either case; nil for anything else.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var octets: [UInt8] = []
    for part in parts {
      guard part.utf8.count == 2, part.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }), let octet = UInt8(part, radix: 16)
      else { return nil }
      octets.append(octet)
    }
    self.init(octets: octets)
  }

  /// The six octets, in the order in which they are sent.
  public var octets: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: number >> (40 - 8 * $0)) } }
}

extension HardwareAddress: CustomStringConvertible {
  public var description: String {
    let digits = octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return digits.joined(separator: ":")
  }
}
