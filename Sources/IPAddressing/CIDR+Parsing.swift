/// A CIDR as it was written, before IPv4-mapped IPv6 is folded into IPv4.
///
/// A prefix length counts bits of the written family, so `::ffff:192.0.2.0/120` keeps 120 here. Callers that accept the
/// mapped form convert with ``normalized``; callers that refuse it look at ``isMapped``.
public struct WrittenCIDR: Hashable, Sendable {
  /// The address, mapped addresses as IPv4.
  public let address: IPAddress
  /// The prefix length as written: up to 32 if there is no colon in the text, else up to 128.
  public let prefixLength: Int
  /// Whether the text was an IPv4-mapped IPv6 address.
  public let isMapped: Bool

  /// Reads `address/length`, or nil.
  ///
  /// The length is decimal digits only (leading zeros allowed), at most the width of the written family.
  public init?(_ text: String) {
    var text = text
    guard let parsed = text.withUTF8({ WrittenCIDR(utf8: $0) }) else { return nil }
    self = parsed
  }

  /// Reads `address/length` from the bytes of its text; same rules as ``init(_:)``.
  public init?(utf8 text: UnsafeBufferPointer<UInt8>) {
    guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else { return nil }
    let addressText = UnsafeBufferPointer(rebasing: text[..<slash])
    guard let address = IPAddress(utf8: addressText) else { return nil }
    let isV6Text = addressText.contains(UInt8(ascii: ":"))
    let digits = text[(slash + 1)...]
    guard !digits.isEmpty else { return nil }
    var length = 0
    for byte in digits {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      length = length * 10 + Int(byte - UInt8(ascii: "0"))
      guard length <= (isV6Text ? 128 : 32) else { return nil }
    }
    self.address = address
    self.prefixLength = length
    self.isMapped = isV6Text && address.family == .v4
  }

  /// The value with a mapped address as IPv4: 96 is taken off the length, down to 0.
  public var normalized: CIDR {
    // Both lengths were checked against the written family, so neither can be out of range.
    CIDR(address, prefixLength: isMapped ? max(0, prefixLength - 96) : prefixLength) ?? CIDR(host: address)
  }
}

extension CIDR {
  /// The network of a single address: `/32` or `/128`.
  public init(host address: IPAddress) {
    self.address = address
    length = UInt8(truncatingIfNeeded: address.family.bitWidth)
  }

  /// Reads `address/length`; nil when `text` is anything else. Mapped IPv6 becomes IPv4.
  public init?(_ text: String) {
    guard let written = WrittenCIDR(text) else { return nil }
    self = written.normalized
  }
}
