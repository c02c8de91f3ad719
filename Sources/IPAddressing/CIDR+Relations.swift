extension CIDR {
  /// The network alone, host bits cleared.
  public var canonical: CIDR { CIDR(network, prefixLength: prefixLength) ?? self }

  /// Whether every address of `other` lies in this network; false across families.
  @inlinable
  public func contains(_ other: CIDR) -> Bool {
    other.prefixLength >= prefixLength && contains(other.address)
  }

  /// Whether the networks share an address.
  public func overlaps(_ other: CIDR) -> Bool {
    contains(other.address) || other.contains(address)
  }

  /// How many networks of a longer prefix length this one is cut into, as a power of two; nil when the length is
  /// shorter than this one's or does not fit the family.
  public func subnetBits(_ prefixLength: Int) -> Int? {
    let range = self.prefixLength...address.family.bitWidth
    return range.contains(prefixLength) ? prefixLength - self.prefixLength : nil
  }

  /// The network of a longer prefix length at a place among those this one is cut into.
  ///
  /// - Parameters:
  ///   - index: the place, from 0; the caller keeps it below 2 to the power of ``subnetBits(_:)``.
  ///   - prefixLength: the subnet's length, at least this one's.
  /// - Returns: the subnet, or nil when it is none of this network.
  public func subnet(at index: UInt128, prefixLength: Int) -> CIDR? {
    guard subnetBits(prefixLength) != nil else { return nil }
    let shift = UInt128(address.family.bitWidth - prefixLength)
    // A shift of the whole width gives 0: the only network of length 0 is the first.
    let address = IPAddress(address.family, number: network.number | index << shift)
    guard let address, contains(address) else { return nil }
    return CIDR(address, prefixLength: prefixLength)
  }
}
