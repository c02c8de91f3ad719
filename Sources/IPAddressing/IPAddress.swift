/// The two address families of the Internet Protocol.
public enum AddressFamily: UInt8, Hashable, Sendable, Comparable {
  case v4 = 4
  case v6 = 6

  /// The width of an address of this family: 32 or 128 bits.
  @inlinable public var bitWidth: Int { self == .v4 ? 32 : 128 }

  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// An IPv4 or IPv6 address, held as an integer.
///
/// IPv4-mapped IPv6 addresses (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) are IPv4 addresses: both text forms give
/// equal values. IPv4 sorts before IPv6; within a family addresses sort by number.
public struct IPAddress: Hashable, Sendable {
  // Two halves, because an integer of 128 bits begins at multiples of 16 bytes: with it an address would take 32 bytes
  // of a list instead of 24, and a CIDR 48.
  @usableFromInline let high: UInt64
  @usableFromInline let low: UInt64
  /// The family the address belongs to.
  public let family: AddressFamily

  /// The address as a number in host order; an IPv4 address uses the low 32 bits.
  @inlinable public var number: UInt128 { UInt128(high) << 64 | UInt128(low) }

  private init(unchecked family: AddressFamily, _ number: UInt128) {
    self.family = family
    high = UInt64(truncatingIfNeeded: number >> 64)
    low = UInt64(truncatingIfNeeded: number)
  }

  /// An IPv4 address from its number, `0xC000_0201` for 192.0.2.1.
  public init(v4 number: UInt32) {
    family = .v4
    high = 0
    low = UInt64(number)
  }

  /// An IPv6 address from its number. The IPv4-mapped range becomes IPv4.
  public init(v6 number: UInt128) {
    if number >> 32 == Self.mappedPrefix {
      self.init(unchecked: .v4, number & 0xFFFF_FFFF)
    } else {
      self.init(unchecked: .v6, number)
    }
  }

  /// An address of `family`, or nil when the number is too wide for it.
  ///
  /// Unlike ``init(v6:)`` this keeps the family as given, so arithmetic inside an IPv6 subnet never leaves IPv6.
  public init?(_ family: AddressFamily, number: UInt128) {
    if family == .v4, number > 0xFFFF_FFFF { return nil }
    self.init(unchecked: family, number)
  }

  /// The address `distance` places above, or nil past the end of the family's space.
  public func advanced(by distance: UInt128) -> IPAddress? {
    let (sum, overflow) = number.addingReportingOverflow(distance)
    return overflow ? nil : IPAddress(family, number: sum)
  }

  /// The 96 bits in front of an IPv4-mapped address.
  static let mappedPrefix: UInt128 = 0xFFFF

  @inlinable
  public func hash(into hasher: inout Hasher) {
    // One word for IPv4: tables of routes hash little else. Addresses of the two families seldom meet in one.
    if family == .v6 { hasher.combine(high) }
    hasher.combine(low)
  }
}

extension IPAddress: Comparable {
  @inlinable
  public static func < (left: Self, right: Self) -> Bool {
    (left.family.rawValue, left.high, left.low) < (right.family.rawValue, right.high, right.low)
  }
}
