/// Any number of addresses, of both families, kept as the fewest ranges that hold them.
///
/// For arithmetic on networks that overlap: what pools have, what reservations take of it, what blocks leave. The cost of
/// an operation is proportional to the number of ranges, never to the number of addresses.
public struct AddressSet: Hashable, Sendable {
  /// The addresses in ascending order, IPv4 first. No two ranges overlap or touch, so equal sets have equal ranges.
  public private(set) var ranges: [AddressRange]

  /// No addresses.
  public init() {
    ranges = []
  }

  /// The addresses of some networks, each counted once; host bits are of no account.
  public init(_ cidrs: some Sequence<CIDR>) {
    // A network never ends before it begins, and both its ends are of one family.
    self.init(joining: cidrs.compactMap { AddressRange($0.network, through: $0.last) })
  }

  /// The addresses of one network.
  public init(_ cidr: CIDR) {
    self.init(CollectionOfOne(cidr))
  }

  /// The addresses of some ranges, which may overlap and come in any order.
  init(joining unordered: [AddressRange]) {
    ranges = []
    for range in unordered.sorted(by: { $0.first < $1.first }) {
      guard let last = ranges.last, Self.touches(last, range) else {
        ranges.append(range)
        continue
      }
      if range.last > last.last, let joined = AddressRange(last.first, through: range.last) {
        ranges[ranges.count - 1] = joined
      }
    }
  }

  private init(disjoint ranges: [AddressRange]) {
    self.ranges = ranges
  }

  /// Whether a range that begins no earlier overlaps another or follows it without a gap.
  private static func touches(_ range: AddressRange, _ next: AddressRange) -> Bool {
    guard next.first.family == range.first.family else { return false }
    // Behind the last address of a family there is nothing, so what does not begin later begins inside.
    guard let following = range.last.advanced(by: 1) else { return true }
    return next.first <= following
  }

  public var isEmpty: Bool { ranges.isEmpty }

  /// Whether an address is in the set.
  public func contains(_ address: IPAddress) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].last < address { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(address)
  }

  /// How many addresses there are.
  ///
  /// - Parameter maximum: what larger numbers are reported as.
  /// - Returns: the number, at most `maximum`.
  public func count(atMost maximum: UInt128 = .max) -> UInt128 {
    var count: UInt128 = 0
    for range in ranges {
      let (sum, overflow) = count.addingReportingOverflow(range.count)
      if overflow || sum >= maximum { return maximum }
      count = sum
    }
    return count
  }
}

// MARK: - Operations

extension AddressSet {
  /// The addresses that are in either set.
  public func union(_ other: AddressSet) -> AddressSet {
    AddressSet(joining: ranges + other.ranges)
  }

  /// The addresses that are in both sets.
  public func intersection(_ other: AddressSet) -> AddressSet {
    var common: [AddressRange] = []
    var (left, right) = (0, 0)
    while left < ranges.count, right < other.ranges.count {
      let (one, two) = (ranges[left], other.ranges[right])
      // Across families the later first address is above the earlier last one, so there is no range.
      if let shared = AddressRange(max(one.first, two.first), through: min(one.last, two.last)) {
        common.append(shared)
      }
      // Only the range that ends first can have nothing more in common with what follows.
      if one.last < two.last { left += 1 } else { right += 1 }
    }
    return AddressSet(disjoint: common)
  }

  /// The addresses of this set that are not in the other.
  public func subtracting(_ other: AddressSet) -> AddressSet {
    var rest: [AddressRange] = []
    var index = 0
    for range in ranges {
      // Past the end of the range, or nil at that of the family, once the other set covers the rest.
      var start: IPAddress? = range.first
      while index < other.ranges.count, other.ranges[index].last < range.first { index += 1 }
      var next = index
      while let first = start, next < other.ranges.count, other.ranges[next].first <= range.last {
        let taken = other.ranges[next]
        if let before = Self.before(taken.first), let kept = AddressRange(first, through: before) { rest.append(kept) }
        start = taken.last.advanced(by: 1)
        next += 1
      }
      if let start, let kept = AddressRange(start, through: range.last) { rest.append(kept) }
    }
    return AddressSet(disjoint: rest)
  }

  /// The address below, or nil when it is the first of its family.
  private static func before(_ address: IPAddress) -> IPAddress? {
    address.number == 0 ? nil : IPAddress(address.family, number: address.number - 1)
  }
}

extension AddressSet: CustomStringConvertible {
  /// The ranges, separated by blanks.
  public var description: String { ranges.map(\.description).joined(separator: " ") }
}
