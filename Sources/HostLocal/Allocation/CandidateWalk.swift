public import IPAddressing

/// The order in which a set's addresses are tried: from behind the last reserved one, through all ranges, round to the
/// last reserved one itself (host-local specification, section 3.3).
///
/// The walk is cut into stretches, runs of addresses of one range, so that whoever knows which addresses are taken can
/// leap over thousands of them at a time:
///
///     ranges       [ A ................ ]   [ B ............ ]
///     cursor               ^
///     stretches             1===========     2==============
///                  3=======
public struct CandidateWalk: Sequence, Sendable {
  /// Addresses to be tried in ascending order, with the range they belong to.
  public struct Stretch: Hashable, Sendable {
    public let range: AllocationRange
    public let addresses: AddressRange
  }

  private let set: RangeSet
  private let cursor: IPAddress?

  /// A walk through `set`.
  ///
  /// - Parameters:
  ///   - set: where addresses are sought.
  ///   - cursor: the address reserved last; one that is not in the set counts as none.
  public init(_ set: RangeSet, after cursor: IPAddress?) {
    self.set = set
    self.cursor = cursor
  }

  public func makeIterator() -> some IteratorProtocol<Stretch> { stretches.makeIterator() }

  private var stretches: [Stretch] {
    let ranges = set.ranges
    guard let cursor, let home = ranges.firstIndex(where: { $0.window.contains(cursor) }) else {
      return ranges.map { Stretch(range: $0, addresses: $0.window) }
    }
    var stretches: [Stretch] = []
    let start = ranges[home]
    if let next = start.successor(of: cursor), let rest = AddressRange(next, through: start.window.last) {
      stretches.append(Stretch(range: start, addresses: rest))
    }
    for range in ranges[(home + 1)...] + ranges[..<home] {
      stretches.append(Stretch(range: range, addresses: range.window))
    }
    if let beginning = AddressRange(start.window.first, through: cursor) {
      stretches.append(Stretch(range: start, addresses: beginning))
    }
    return stretches
  }
}

extension CandidateWalk.Stretch {
  /// The first address that is neither taken nor the range's gateway; nil when there is none. `firstFree` finds the first
  /// free address of a run of addresses.
  func firstCandidate(_ firstFree: (AddressRange) -> IPAddress?) -> IPAddress? {
    guard let candidate = firstFree(addresses) else { return nil }
    guard candidate == range.gateway else { return candidate }
    return rest(after: candidate).flatMap { firstFree($0.addresses) }
  }

  /// What is left of the stretch behind `address`.
  func rest(after address: IPAddress) -> CandidateWalk.Stretch? {
    guard let next = address.advanced(by: 1), let rest = AddressRange(next, through: addresses.last) else { return nil }
    return CandidateWalk.Stretch(range: range, addresses: rest)
  }
}
