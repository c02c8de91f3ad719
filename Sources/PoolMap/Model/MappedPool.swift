public import CalicoModel
public import IPAddressing

/// A pool as it is drawn: its blocks, the cells that stand for them, and the sums.
public struct MappedPool: Hashable, Sendable {
  /// The pool's name, as it is stored.
  public let name: String
  /// The pool's range, or the block of it that alone is drawn.
  public let cidr: CIDR
  /// The blocks that are stored or claimed, in the order of their addresses.
  public let blocks: [MappedBlock]
  public let scale: MapScale
  public let cells: [MapCell]
  public let counts: UseCounts
  /// What keeps addresses of the pool from being given out: `disabled`, `being deleted`; empty in most cases.
  public let impediments: [String]
  /// What reservations cover of the range.
  let reserved: AddressSet

  /// Arranges a pool; nil for one whose range is none, or cannot be cut into blocks of its size.
  ///
  /// - Parameters:
  ///   - pool: the pool.
  ///   - part: a block of it that alone is to be drawn; nil for all.
  ///   - blocks: blocks that overlap the pool, and others, in any order; of two at one place the first counts.
  ///   - reserved: what reservations cover, anywhere.
  ///   - limit: the most cells, a power of two.
  public init?(
    _ pool: IPPool, part: CIDR? = nil, blocks: [MappedBlock], reserved: AddressSet,
    limit: Int = MapScale.standardLimit
  ) {
    guard let range = pool.cidr, pool.hasUsableBlockSize else { return nil }
    let cidr = part ?? range
    let reserved = AddressSet(cidr).intersection(reserved)
    let blocks = Self.ordered(blocks.filter { cidr.overlaps($0.cidr) })
    let scale = MapScale(
      pool: cidr, blockPrefixLength: max(pool.blockSize, cidr.prefixLength), blocks: blocks.map(\.cidr), limit: limit)
    var counts = UseCounts(of: AddressSet(cidr), without: blocks.map(\.cidr), reserved: reserved)
    for block in blocks { counts.add(block.counts(in: cidr)) }
    name = pool.name
    self.cidr = cidr
    self.blocks = blocks
    self.scale = scale
    cells = MapCell.cells(cidr, scale, blocks, reserved)
    self.counts = counts
    self.reserved = reserved
    impediments = [
      pool.isDisabled ? "disabled" : nil, pool.isDeleting ? "being deleted" : nil,
      pool.isAllocatable ? nil : "not allocatable",
    ].compactMap { $0 }
  }

  /// The blocks in the order of their addresses, without those that lie in another one.
  private static func ordered(_ blocks: [MappedBlock]) -> [MappedBlock] {
    var ordered: [MappedBlock] = []
    let sorted = blocks.enumerated().sorted { one, other in
      let (left, right) = (one.element.cidr, other.element.cidr)
      if left.network != right.network { return left.network < right.network }
      if left.prefixLength != right.prefixLength { return left.prefixLength < right.prefixLength }
      return one.offset < other.offset
    }
    for (_, block) in sorted where ordered.last?.cidr.overlaps(block.cidr) != true { ordered.append(block) }
    return ordered
  }

  /// How many cells stand side by side: a power of two, so that rows begin at round addresses and the map is about as
  /// wide as it is high.
  ///
  /// - Parameter most: how many there is room for; a power of two.
  /// - Returns: the number.
  public func columns(atMost most: Int) -> Int { Self.columns(for: cells.count, atMost: most) }

  /// How many of some cells stand side by side; see ``columns(atMost:)``.
  static func columns(for count: Int, atMost most: Int) -> Int {
    var columns = 16
    while columns * columns < count { columns *= 2 }
    return max(1, min(columns, most))
  }

  /// How many cells there are of each use.
  public var cellCounts: UseCounts {
    var counts = UseCounts()
    for cell in cells { counts[cell.use] += 1 }
    return counts
  }

  /// The nodes and other owners that hold blocks.
  public var owners: Set<String> { Set(blocks.compactMap(\.owner)) }
}
