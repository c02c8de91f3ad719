/// A run of addresses of one family, both ends included.
public struct AddressRange: Hashable, Sendable {
  /// The first address.
  public let first: IPAddress
  /// The last address; never below ``first``.
  public let last: IPAddress

  /// A range, or nil when the ends are of different families or out of order.
  public init?(_ first: IPAddress, through last: IPAddress) {
    guard first.family == last.family, first.number <= last.number else { return nil }
    self.first = first
    self.last = last
  }

  /// Whether `address` is one of the range's.
  public func contains(_ address: IPAddress) -> Bool {
    address.family == first.family && first.number <= address.number && address.number <= last.number
  }

  /// How many addresses the range has; saturates at `UInt128.max` for all of IPv6.
  public var count: UInt128 {
    let (count, overflow) = (last.number - first.number).addingReportingOverflow(1)
    return overflow ? .max : count
  }
}

extension AddressRange: CustomStringConvertible {
  /// `first-last`, both in canonical text.
  public var description: String { "\(first)-\(last)" }
}
