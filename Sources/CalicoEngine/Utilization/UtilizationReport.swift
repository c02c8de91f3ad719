public import CalicoModel
public import IPAddressing

/// How much of the pools is in use, pool by pool and block by block (Calico IPAM specification, section 3.17).
public struct UtilizationReport: Hashable, Sendable {
  /// The rows in the order of the pools' names, the blocks without a pool last.
  public var pools: [PoolUtilization]

  /// Counts.
  ///
  /// - Parameters:
  ///   - pools: all pools, disabled ones as well, in the order of their names.
  ///   - requested: names of pools, or their ranges as they are written; empty for all pools, and then also the blocks
  ///     that lie in none. IPv6 blocks without a pool are nowhere, as in the original: its row for blocks without a pool
  ///     is `0.0.0.0/0`.
  ///   - reserved: what all reservations cover.
  ///   - blocks: all blocks, in the order in which they are to be listed.
  public init(
    pools: [IPPool], requested: Set<String> = [], reserved: ReservedAddresses = ReservedAddresses(), blocks: [IPAMBlock]
  ) {
    let reserved = AddressSet(reserved.cidrs)
    let kept = pools.filter { requested.isEmpty || requested.contains($0.name) || requested.contains($0.writtenCIDR) }
    var members: [[IPAMBlock]] = Array(repeating: [], count: kept.count)
    var orphans: [IPAMBlock] = []
    for block in blocks {
      // A block that several pools overlap, which only the unsafe ways of making pools allow, is the first one's.
      if let index = kept.firstIndex(where: { $0.cidr?.overlaps(block.cidr) == true }) {
        members[index].append(block)
      } else if requested.isEmpty, block.cidr.address.family == .v4 {
        orphans.append(block)
      }
    }
    self.pools = zip(kept, members).map { PoolUtilization($0, blocks: $1, reserved: reserved) }
    guard requested.isEmpty else { return }
    self.pools.append(
      PoolUtilization(
        name: PoolUtilization.orphansName, cidr: PoolUtilization.orphansCIDR, numbers: Utilization(),
        blocks: orphans.map { BlockUtilization($0, reserved: reserved) }))
  }
}

extension PoolUtilization {
  /// Counts a pool's addresses (section 3.17 step 3).
  ///
  /// - Parameters:
  ///   - pool: the pool; one whose range is none has only its blocks' numbers.
  ///   - blocks: the blocks that are attributed to it.
  ///   - reserved: what reservations cover, anywhere.
  public init(_ pool: IPPool, blocks: [IPAMBlock], reserved: AddressSet) {
    let rows = blocks.map { BlockUtilization($0, reserved: reserved) }
    let space = PoolSpace(pool.cidr, reserved: reserved, blocks: blocks.map(\.cidr))
    self.init(
      name: pool.name, cidr: pool.writtenCIDR,
      numbers: Utilization(
        capacity: space.capacity, inUse: rows.reduce(0) { $0.addingSaturated($1.numbers.inUse) },
        reserved: space.reserved,
        available: rows.reduce(space.outsideBlocks) { $0.addingSaturated($1.numbers.available) }),
      blocks: rows)
  }
}

/// The sizes of the parts of a pool's range; overlaps count once.
struct PoolSpace: Hashable {
  /// All of the range.
  var capacity: Int
  /// What reservations cover of it.
  var reserved: Int
  /// What lies neither in a reservation nor in a block.
  var outsideBlocks: Int

  init(_ pool: CIDR?, reserved: AddressSet, blocks: [CIDR]) {
    let range = pool.map { AddressSet($0) } ?? AddressSet()
    capacity = range.saturatedCount
    self.reserved = range.intersection(reserved).saturatedCount
    outsideBlocks = range.subtracting(reserved).subtracting(AddressSet(blocks)).saturatedCount
  }
}

extension Int {
  /// The sum, or the largest number where there is none; the original wraps round and reports less than nothing free
  /// (calicoctl specification, section 3.2).
  fileprivate func addingSaturated(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
