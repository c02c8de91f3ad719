public import IPAddressing

/// Ranges of one family, of which an attachment gets one address.
public struct RangeSet: Hashable, Sendable, CustomStringConvertible {
  /// At least one range; no two overlap.
  public let ranges: [AllocationRange]

  public var family: AddressFamily { ranges[0].subnet.address.family }

  /// The range that `address` lies in.
  public func range(containing address: IPAddress) -> AllocationRange? {
    ranges.first { $0.window.contains(address) }
  }

  public func contains(_ address: IPAddress) -> Bool { range(containing: address) != nil }

  /// How many addresses can be given out; saturates at `UInt128.max`.
  public var capacity: UInt128 {
    ranges.reduce(0) { sum, range in
      let (total, overflow) = sum.addingReportingOverflow(range.capacity)
      return overflow ? .max : total
    }
  }

  /// `first-last` of every range, joined with `,`.
  public var description: String { ranges.map(\.description).joined(separator: ",") }
}

extension RangeSet {
  /// Validates all sets of a network, in upstream's order (host-local specification, sections 2.3 and 2.4).
  ///
  /// - Parameters:
  ///   - written: the sets as configured.
  ///   - version: `cniVersion` as given; below 0.3.0 a result has room for one address a family.
  /// - Returns: the sets with all defaults filled in.
  /// - Throws: ``HostLocalError`` with ``HostLocalError/Code/configuration``.
  static func validated(_ written: [[WrittenRange]], version: String) throws(HostLocalError) -> [RangeSet] {
    guard !written.isEmpty else { throw invalid("no IP ranges specified") }
    var sets: [RangeSet] = []
    for (index, ranges) in written.enumerated() {
      do throws(HostLocalError) {
        sets.append(try RangeSet(validating: ranges))
      } catch {
        throw error.prefixed("invalid range set \(index): ")
      }
    }
    if ["", "0.1.0", "0.2.0"].contains(version) {
      for family in [AddressFamily.v4, .v6] where sets.count(where: { $0.family == family }) > 1 {
        throw invalid("CNI version \(version) does not support more than 1 address per family")
      }
    }
    for (index, set) in sets.enumerated() {
      for other in sets.indices.dropFirst(index + 1) where set.overlaps(sets[other]) {
        throw invalid("range set \(index) overlaps with \(other)")
      }
    }
    return sets
  }

  private init(validating written: [WrittenRange]) throws(HostLocalError) {
    guard !written.isEmpty else { throw Self.invalid("empty range set") }
    var ranges: [AllocationRange] = []
    for range in written {
      let range = try AllocationRange(validating: range)
      guard range.subnet.address.family == ranges.first?.subnet.address.family ?? range.subnet.address.family else {
        throw Self.invalid("mixed address families")
      }
      ranges.append(range)
    }
    for (index, range) in ranges.enumerated() {
      for other in ranges.dropFirst(index + 1) where range.overlaps(other) {
        throw Self.invalid("subnets \(range) and \(other) overlap")
      }
    }
    self.ranges = ranges
  }

  private func overlaps(_ other: RangeSet) -> Bool {
    ranges.contains { range in other.ranges.contains { range.overlaps($0) } }
  }

  private static func invalid(_ message: String) -> HostLocalError { HostLocalError(.configuration, message) }
}
