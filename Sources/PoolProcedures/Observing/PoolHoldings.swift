import CalicoModel
public import IPAddressing

/// The blocks in a range of addresses, and what is in use in them.
public struct PoolHoldings: Hashable, Sendable {
  /// A block that overlaps the range.
  public struct Block: Hashable, Sendable {
    public let cidr: CIDR
    /// Whom it belongs to, such as `host:node-a`; nil for nobody.
    public let affinity: String?
    /// How many of its addresses are given out or cool down.
    public let addresses: Int
  }

  /// The blocks, in the order of their networks.
  public internal(set) var blocks: [Block] = []
  /// Who has an address, in the order of addresses.
  public internal(set) var holders: [AddressHolder] = []
  /// How many addresses cool down: they were given back, and are not free yet.
  public internal(set) var coolingDown = 0

  public init() {}

  /// Adds what is in a block. What Windows keeps for itself goes with the block and does not count.
  ///
  /// - Parameters:
  ///   - block: the block as it is stored.
  ///   - time: now.
  ///   - cooldown: seconds before an address that was given back is free again.
  mutating func add(_ block: IPAMBlock, time: Timestamp, cooldown: Int) {
    var block = block
    _ = block.collect(time: time, cooldown: cooldown)
    var addresses = 0
    for ordinal in 0..<block.size {
      guard let attribute = block.attribute(at: ordinal), !attribute.isWindowsReservation else { continue }
      addresses += 1
      if attribute.releasedAt != nil {
        coolingDown += 1
      } else {
        holders.append(AddressHolder(address: block.address(at: ordinal), attribute))
      }
    }
    blocks.append(Block(cidr: block.cidr, affinity: block.affinity, addresses: addresses))
  }

  /// The names of the hosts that have a block or an address here, in order.
  public var hosts: [String] {
    let owners = blocks.compactMap { $0.affinity.flatMap { BlockOwner($0) } }.filter { $0.kind == .host }
    return Set(owners.map(\.name) + holders.compactMap(\.node)).sorted()
  }

  var use: Situation.Use {
    Situation.Use(
      blocks: blocks.count, addresses: holders.count + coolingDown,
      sizeInUse: blocks.first { $0.addresses > 0 }?.cidr.prefixLength)
  }
}
