public import IPAddressing
public import Netlink
import Testing

// Tests name addresses by their text; one that is none shows as zeros, which no test expects.
extension IPAddress: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) { self = Self.init(text) ?? IPAddress(v4: 0) }
}

extension CIDR: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) { self = Self.init(text) ?? CIDR(host: IPAddress(v4: 0)) }
}

extension HardwareAddress: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) {
    let parsed = Self.init(text)
    #expect(parsed != nil, "\(text)")
    self = parsed ?? Self.init(stringLiteral: "00:00:00:00:00:00")
  }
}

extension String {
  /// The octets that hexadecimal digits stand for, blanks left out.
  var octets: [UInt8] {
    let digits = compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
