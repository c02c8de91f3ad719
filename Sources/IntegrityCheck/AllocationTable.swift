import CalicoModel
import IPAddressing

/// Everything that blocks give out, in columns: a few bytes for each address, because there may be hundreds of thousands.
struct AllocationTable {
  /// What is known of an address that is given out.
  struct Traits: OptionSet {
    let rawValue: UInt8

    /// It was released and cools down.
    static let cools = Traits(rawValue: 1)
    /// A Windows host keeps it for itself.
    static let isWindowsReservation = Traits(rawValue: 2)
    /// Somebody has it.
    static let isUsed = Traits(rawValue: 4)
    /// More than one has it.
    static let isUsedTwice = Traits(rawValue: 8)
    /// Nothing is recorded of an owner.
    static let isUnowned = Traits(rawValue: 16)
  }

  struct Block {
    let cidr: CIDR
    /// The owner's number among ``AllocationTable/owners``; nil for nobody.
    let owner: Int32?
    /// The number of the block's first address among all.
    let first: Int32
    let count: Int32

    var range: Range<Int> { Int(first)..<Int(first) + Int(count) }
  }

  private(set) var blocks: [Block] = []
  /// Whom blocks are affine to, as it is written.
  private(set) var owners = NameTable()
  private(set) var nodes = NameTable()
  private(set) var ordinals: [UInt16] = []
  /// The number of each address's handle; -1 for none.
  private(set) var handles: [Int32] = []
  private(set) var nodeIndices: [Int32] = []
  private(set) var numbers: [UInt64] = []
  var traits: [Traits] = []

  /// How many addresses are given out, those that cool down among them.
  var count: Int { ordinals.count }

  /// An address that is given out.
  struct Row {
    var ordinal: Int
    var handle: Int32
    var node: String
    var number: UInt64
    var traits: Traits
  }

  /// Adds a block with what it gives out.
  mutating func add(_ cidr: CIDR, affinity: String?, _ rows: [Row]) {
    blocks.append(
      Block(
        cidr: cidr, owner: affinity.map { owners.index(of: $0) }, first: Int32(ordinals.count),
        count: Int32(rows.count)))
    for row in rows {
      ordinals.append(UInt16(truncatingIfNeeded: row.ordinal))
      handles.append(row.handle)
      nodeIndices.append(nodes.index(of: row.node))
      numbers.append(row.number)
      traits.append(row.traits)
    }
  }

  /// Puts the blocks in the order of their addresses.
  mutating func sort() {
    blocks.sort { ($0.cidr.address, $0.cidr.prefixLength) < ($1.cidr.address, $1.cidr.prefixLength) }
  }

  /// The block that an address lies in; nil when there is none. The blocks must be in order.
  func block(containing address: IPAddress) -> Block? {
    var (low, high) = (0, blocks.count)
    while low < high {
      let middle = (low + high) / 2
      if blocks[middle].cidr.address <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0, blocks[low - 1].cidr.contains(address) else { return nil }
    return blocks[low - 1]
  }

  /// The number of an address that is given out; nil when it is not.
  func index(of address: IPAddress) -> Int? {
    guard let block = block(containing: address) else { return nil }
    let ordinal = UInt16(truncatingIfNeeded: address.number - block.cidr.address.number)
    return block.range.first { ordinals[$0] == ordinal }
  }

  /// The address of a number, in its block.
  func address(_ index: Int, in block: Block) -> IPAddress {
    block.cidr.address.advanced(by: UInt128(ordinals[index])) ?? block.cidr.address
  }
}
