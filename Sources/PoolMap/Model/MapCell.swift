public import IPAddressing

/// One cell of a pool's map: a network, and what its addresses are in.
public struct MapCell: Hashable, Sendable {
  public let cidr: CIDR
  public let counts: UseCounts
  /// Which of the pool's blocks share addresses with the network.
  public let blocks: Range<Int>

  /// What the cell is drawn as.
  public var use: AddressUse { counts.summary }

  /// Sums up a network.
  ///
  /// - Parameters:
  ///   - cidr: the network.
  ///   - indices: which of the blocks share addresses with it.
  ///   - blocks: all blocks of the pool.
  ///   - reserved: what reservations cover.
  init(_ cidr: CIDR, _ indices: Range<Int>, of blocks: [MappedBlock], reserved: AddressSet) {
    self.cidr = cidr
    self.blocks = indices
    var counts = UseCounts()
    for block in blocks[indices] { counts.add(block.counts(in: cidr)) }
    let covered = blocks[indices].contains { $0.cidr.contains(cidr) }
    if !covered {
      let inside = blocks[indices].map(\.cidr)
      counts.add(UseCounts(of: AddressSet(cidr), without: inside, reserved: reserved))
    }
    self.counts = counts
  }

  /// The cells of a scale.
  ///
  /// - Parameters:
  ///   - pool: the pool's range.
  ///   - scale: what a cell stands for.
  ///   - blocks: the blocks in the order of their addresses, none inside another.
  ///   - reserved: what reservations cover.
  /// - Returns: the cells in the order of their addresses.
  static func cells(_ pool: CIDR, _ scale: MapScale, _ blocks: [MappedBlock], _ reserved: AddressSet) -> [MapCell] {
    guard scale.isComplete else { return occupied(scale, blocks, reserved) }
    let bits = pool.subnetBits(scale.prefixLength) ?? 0
    var first = 0
    return (0..<UInt128(1) << UInt128(bits)).compactMap { index in
      guard let cidr = pool.subnet(at: index, prefixLength: scale.prefixLength) else { return nil }
      while first < blocks.count, blocks[first].cidr.last < cidr.network { first += 1 }
      var end = first
      while end < blocks.count, blocks[end].cidr.network <= cidr.last { end += 1 }
      return MapCell(cidr, first..<end, of: blocks, reserved: reserved)
    }
  }

  /// The cells of networks that hold a block.
  private static func occupied(_ scale: MapScale, _ blocks: [MappedBlock], _ reserved: AddressSet) -> [MapCell] {
    var cells: [MapCell] = []
    var first = 0
    while first < blocks.count {
      let cidr = blocks[first].cidr.enclosing(scale.prefixLength)
      var end = first + 1
      while end < blocks.count, cidr.contains(blocks[end].cidr) { end += 1 }
      cells.append(MapCell(cidr, first..<end, of: blocks, reserved: reserved))
      first = end
    }
    return cells
  }
}

extension UseCounts {
  /// The uses of addresses that are in no block: free or reserved.
  ///
  /// - Parameters:
  ///   - addresses: the addresses.
  ///   - blocks: what of them is not to be counted.
  ///   - reserved: what reservations cover.
  init(of addresses: AddressSet, without blocks: [CIDR], reserved: AddressSet) {
    let rest = blocks.isEmpty ? addresses : addresses.subtracting(AddressSet(blocks))
    self.init()
    let covered = reserved.isEmpty ? 0 : rest.intersection(reserved).count()
    self[.reserved] = covered
    self[.free] = rest.count() - covered
  }
}
