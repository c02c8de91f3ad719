/// An address with a prefix length, such as `192.0.2.0/24`.
///
/// Host bits are kept: `172.16.5.9/12` is a value of its own, with ``network`` 172.16.0.0 (RFC 4632 section 3.1).
public struct CIDR: Hashable, Sendable {
  /// The address as given, host bits included.
  public let address: IPAddress
  // At most 128, beside the address's family: a CIDR takes no more room than an address.
  @usableFromInline let length: UInt8

  /// How many leading bits name the network: 0 to 32, or 0 to 128.
  @inlinable public var prefixLength: Int { Int(length) }

  /// A CIDR, or nil when the length does not fit the family.
  public init?(_ address: IPAddress, prefixLength: Int) {
    guard (0...address.family.bitWidth).contains(prefixLength) else { return nil }
    self.address = address
    length = UInt8(truncatingIfNeeded: prefixLength)
  }

  /// The number of bits behind the prefix.
  @inlinable public var hostBits: Int { address.family.bitWidth - prefixLength }

  /// The bits behind the prefix, all set.
  private var hostMask: UInt128 { hostBits == 0 ? 0 : ~0 >> UInt128(128 - hostBits) }

  /// The first address of the network: all host bits zero.
  public var network: IPAddress { masked(address.number & ~hostMask) }

  /// The last address of the network: all host bits one. For IPv4 that is the broadcast address.
  public var last: IPAddress { masked(address.number | hostMask) }

  /// Whether the address has bits behind the prefix.
  public var hasHostBits: Bool { address.number & hostMask != 0 }

  /// Whether `other` lies in the network; false across families.
  @inlinable
  public func contains(_ other: IPAddress) -> Bool {
    guard other.family == address.family else { return false }
    guard address.family == .v6 else { return (other.low ^ address.low) >> UInt64(hostBits) == 0 }
    // Shifting by the whole width gives 0, as it should for the prefix that contains everything.
    return (other.number ^ address.number) >> UInt128(hostBits) == 0
  }

  private func masked(_ number: UInt128) -> IPAddress {
    // Masking cannot widen the number, so it still fits the family.
    IPAddress(address.family, number: number) ?? address
  }

  @inlinable
  public func hash(into hasher: inout Hasher) {
    // One word for IPv4, whose addresses leave half of it free.
    guard address.family == .v6 else { return hasher.combine(address.low | UInt64(length) << 32) }
    hasher.combine(address)
    hasher.combine(length)
  }
}

extension CIDR: CustomStringConvertible {
  /// `address/length`, the address in canonical text.
  public var description: String {
    String(unsafeUninitializedCapacity: 52) { buffer in
      var writer = TextWriter(buffer: buffer)
      writer.append(address)
      writer.append(UInt8(ascii: "/"))
      // At most 128, so it fits a byte.
      writer.append(decimal: UInt8(truncatingIfNeeded: prefixLength))
      return writer.count
    }
  }
}
