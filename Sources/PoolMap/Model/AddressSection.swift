public import IPAddressing

/// A part of a map that has a cell for each address.
public enum AddressSection: Hashable, Sendable {
  /// A block, each of whose addresses is drawn.
  case block(MappedBlock)
  /// Addresses in no block, which are only counted.
  case gap(AddressRange, UseCounts)
}

extension MappedPool {
  /// In a pool of so few addresses all are drawn, also those that are in no block.
  public static let smallPool: UInt128 = 1024

  /// Whether a map is a cell for each address unless something else is asked for.
  public var isSmall: Bool { scale.blockBits == 0 || AddressSet(cidr).count(atMost: 257) <= 256 }

  /// The whole pool in the order of addresses: the blocks, and what is between them.
  public var sections: [AddressSection] {
    if AddressSet(cidr).count(atMost: Self.smallPool + 1) <= Self.smallPool, scale.isComplete, !scale.isAggregated {
      var sections: [AddressSection] = []
      var last: Range<Int>?
      for cell in cells {
        // A block that is larger than the pool's are now has several cells, one after the other.
        if cell.blocks.isEmpty {
          sections.append(.block(MappedBlock(absent: cell.cidr, reserved: reserved)))
        } else if cell.blocks != last {
          sections += blocks[cell.blocks].map { .block($0) }
        }
        last = cell.blocks
      }
      return sections
    }
    var sections: [AddressSection] = []
    var next: IPAddress? = cidr.network
    for block in blocks {
      if let start = next, start < block.cidr.network { sections += gaps(start, before: block.cidr.network) }
      sections.append(.block(block))
      next = block.cidr.last.advanced(by: 1)
    }
    if let start = next, let range = AddressRange(start, through: cidr.last) { sections.append(gap(range)) }
    return sections
  }

  private func gaps(_ start: IPAddress, before end: IPAddress) -> [AddressSection] {
    // There is a gap, so the end is not the first address of all.
    let last = IPAddress(end.family, number: end.number - 1)
    return last.flatMap { AddressRange(start, through: $0) }.map { [gap($0)] } ?? []
  }

  private func gap(_ range: AddressRange) -> AddressSection {
    var counts = UseCounts(range.count, .free)
    let covered = reserved.ranges.reduce(UInt128(0)) { sum, other in
      let shared = AddressRange(max(range.first, other.first), through: min(range.last, other.last))
      return sum.addingSaturated(shared?.count ?? 0)
    }
    counts[.reserved] = covered
    counts[.free] = range.count - covered
    return .gap(range, counts)
  }
}
