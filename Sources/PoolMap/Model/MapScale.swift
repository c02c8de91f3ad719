import IPAddressing

/// What one cell of a pool's map stands for.
public struct MapScale: Hashable, Sendable {
  /// The prefix length of the networks that cells stand for.
  public let prefixLength: Int
  /// The prefix length of the pool's blocks, the same or a longer one.
  public let blockPrefixLength: Int
  /// Whether every network of that length has a cell; otherwise only those have that hold a block.
  public let isComplete: Bool
  /// The number of blocks that the pool has room for, as a power of two.
  public let blockBits: Int

  /// The most cells of a map: more are no picture any more.
  public static let standardLimit = 4096

  /// Chooses the smallest networks with which the map has no more cells than can be drawn. Blocks that exist are rather
  /// drawn each by itself without those that do not than together with neighbours.
  ///
  /// - Parameters:
  ///   - pool: the pool's range.
  ///   - blockPrefixLength: the prefix length of its blocks, not less than the pool's.
  ///   - blocks: the networks of the blocks that exist.
  ///   - limit: the most cells; a power of two.
  init(pool: CIDR, blockPrefixLength: Int, blocks: [CIDR], limit: Int) {
    self.blockPrefixLength = blockPrefixLength
    blockBits = max(0, blockPrefixLength - pool.prefixLength)
    let drawableBits = limit.trailingZeroBitCount
    if blockBits <= drawableBits {
      (prefixLength, isComplete) = (blockPrefixLength, true)
      return
    }
    var length = blockPrefixLength
    while length > pool.prefixLength + drawableBits {
      if Set(blocks.map { $0.enclosing(length) }).count <= limit { break }
      length -= 1
    }
    prefixLength = length
    isComplete = length <= pool.prefixLength + drawableBits
  }

  /// Whether a cell stands for more than a block.
  public var isAggregated: Bool { prefixLength < blockPrefixLength }
}

extension CIDR {
  /// The network of a shorter prefix length that this one lies in; the network itself when the length is not shorter.
  func enclosing(_ length: Int) -> CIDR {
    guard length < prefixLength, let wider = CIDR(address, prefixLength: length) else { return canonical }
    return wider.canonical
  }
}
