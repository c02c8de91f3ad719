public import CalicoModel
public import IPAddressing

/// How much of a pool, or of a block, is in use.
///
/// The numbers saturate at `Int.max`. An address that was given out and reserved afterwards counts as both, so they need
/// not add up (calicoctl specification, section 3.2).
public struct Utilization: Hashable, Sendable {
  /// How many addresses there are.
  public var capacity = 0
  /// How many are given out, cool down, or are kept by a host for itself.
  public var inUse = 0
  /// How many reservations cover, given out or not.
  public var reserved = 0
  /// How many can be given out: free and not reserved.
  public var available = 0

  public init(capacity: Int = 0, inUse: Int = 0, reserved: Int = 0, available: Int = 0) {
    self.capacity = capacity
    self.inUse = inUse
    self.reserved = reserved
    self.available = available
  }
}

/// A block's row of a report.
public struct BlockUtilization: Hashable, Sendable {
  public var cidr: CIDR
  public var numbers: Utilization

  /// Counts a block's addresses (Calico IPAM specification, section 3.17 step 2).
  ///
  /// - Parameters:
  ///   - block: the block as it is stored; nothing that cools down is collected first.
  ///   - reserved: what reservations cover, anywhere.
  public init(_ block: IPAMBlock, reserved: AddressSet) {
    let covered = AddressSet(block.cidr).intersection(reserved)
    cidr = block.cidr
    numbers = Utilization(
      capacity: block.size, inUse: block.size - block.unallocated.count, reserved: covered.saturatedCount,
      available: block.unallocated.count { !covered.contains(block.address(at: Int($0))) })
  }
}

/// A pool's row of a report, and those of its blocks.
public struct PoolUtilization: Hashable, Sendable {
  /// The pool's name; ``orphansName`` for the rows of blocks that lie in no pool.
  public var name: String
  /// The range as it is written in the pool.
  public var cidr: String
  public var numbers: Utilization
  public var blocks: [BlockUtilization]

  /// The name and the range of what stands for blocks without a pool (section 3.17 step 1).
  public static let orphansName = "orphaned allocation blocks"
  public static let orphansCIDR = "0.0.0.0/0"

  /// Whether the row stands for no pool, and so has no numbers.
  public var isOrphans: Bool { name == Self.orphansName }
}

extension AddressSet {
  /// How many addresses there are, as far as a signed integer goes.
  var saturatedCount: Int { Int(truncatingIfNeeded: count(atMost: UInt128(Int.max))) }
}
