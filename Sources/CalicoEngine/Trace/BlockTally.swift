public import CalicoModel

/// What is in a block, as an assignment sees it: every address is one of these four. What has cooled down is free.
public struct BlockTally: Hashable, Sendable {
  /// To whom the block is affine, such as `host:node-a`; nil for nobody.
  public var owner: String?
  /// In use; or kept by a Windows host for itself.
  public var inUse: Int
  /// Given back, and not free yet.
  public var cooling: Int
  /// Free, but reserved: never given out unless it is asked for.
  public var reserved: Int
  /// Can be given out.
  public var free: Int
  /// When the first of those that cool down is free; nil when none does.
  public var nextFree: Timestamp?

  /// How many addresses the block has.
  public var size: Int { inUse + cooling + reserved + free }

  /// Counts a block from which what has cooled down was collected.
  init(_ block: IPAMBlock, reserved addresses: ReservedAddresses, cooldown: Int) {
    owner = block.affinity
    free = block.freeCount { addresses.contains($0) }
    reserved = block.unallocated.count - free
    cooling = 0
    var earliest: Timestamp?
    for ordinal in block.allocations.indices {
      guard let released = block.attribute(at: ordinal)?.releasedAt else { continue }
      cooling += 1
      earliest = min(earliest ?? released, released)
    }
    inUse = block.size - free - reserved - cooling
    nextFree = earliest?.advanced(bySeconds: Int64(cooldown))
  }
}

extension SearchScope {
  /// What is in a block.
  func tally(_ block: IPAMBlock) -> BlockTally {
    BlockTally(block, reserved: reserved, cooldown: configuration.cooldownSeconds)
  }
}

extension AddressHolder {
  /// Who has an address of a block; its ordinal is given out, or cools down.
  init(of ordinal: Int, in block: IPAMBlock) {
    let attribute = block.attribute(at: ordinal)
    self.init(
      block: block.cidr, handleID: attribute?.sanitizedHandleID, attributes: attribute?.owner ?? [:],
      releasedAt: attribute?.releasedAt)
  }
}
