public import CalicoModel
public import IPAddressing

/// A block with the use and the holder of each of its addresses.
public struct MappedBlock: Hashable, Sendable {
  /// What is known of a block.
  public enum State: Hashable, Sendable {
    /// It is stored.
    case stored
    /// It is not stored; a node has announced that it will make it.
    case claimed
    /// It is neither stored nor claimed.
    case absent
    /// It is stored and cannot be read.
    case unreadable
  }

  public let cidr: CIDR
  public let state: State
  /// Who holds it, a node's name in most cases; nil when nobody does.
  public let owner: String?
  /// The use of each address, in the order of addresses.
  public let uses: [AddressUse]
  /// For each address who has it; empty when nobody has any.
  public let holders: [AddressHolder?]
  /// The sums of ``uses``.
  public let counts: UseCounts

  /// A block that is stored.
  ///
  /// - Parameters:
  ///   - block: the block, with what has cooled down collected already.
  ///   - reserved: what reservations cover, anywhere.
  public init(_ block: IPAMBlock, reserved: AddressSet) {
    let covered = AddressSet(block.cidr).intersection(reserved)
    let owner = block.owner?.name ?? block.affinity
    // One attribute may be that of many addresses, and to read it takes time.
    let attributes = (block.attributes ?? []).map { (value: $0, holder: AddressHolder($0)) }
    var uses = [AddressUse](repeating: .free, count: block.size)
    var holders: [AddressHolder?] = []
    for ordinal in 0..<block.size {
      let index = Int(block.allocations[ordinal])
      guard attributes.indices.contains(index) else {
        if !covered.isEmpty, covered.contains(block.address(at: ordinal)) { uses[ordinal] = .reserved }
        continue
      }
      let (attribute, holder) = attributes[index]
      if attribute.releasedAt != nil {
        uses[ordinal] = .cooling
        continue
      }
      if holders.isEmpty { holders = Array(repeating: nil, count: block.size) }
      holders[ordinal] = holder
      let isForeign = holder.node != nil && holder.node != owner
      uses[ordinal] = attribute.isWindowsReservation ? .reserved : isForeign ? .borrowed : .used
    }
    self.init(block.cidr, .stored, owner: owner, uses: uses, holders: holders)
  }

  /// A block that a node claims, and that does not exist yet.
  public init(claimed cidr: CIDR, by owner: BlockOwner, reserved: AddressSet) {
    self.init(cidr, .claimed, owner: owner.name, uses: Self.unused(cidr, reserved), holders: [])
  }

  /// A block of which nothing is known but that it is stored.
  public init(unreadable cidr: CIDR) {
    let uses = [AddressUse](repeating: .unreadable, count: Self.size(of: cidr))
    self.init(cidr, .unreadable, owner: nil, uses: uses, holders: [])
  }

  /// A block that does not exist.
  init(absent cidr: CIDR, reserved: AddressSet) {
    self.init(cidr, .absent, owner: nil, uses: Self.unused(cidr, reserved), holders: [])
  }

  init(_ cidr: CIDR, _ state: State, owner: String?, uses: [AddressUse], holders: [AddressHolder?]) {
    let isHeldForNothing = owner != nil && !uses.contains { $0 == .used || $0 == .borrowed || $0 == .cooling }
    let uses = isHeldForNothing ? uses.map { $0 == .free ? .affine : $0 } : uses
    var counts = UseCounts()
    for use in uses { counts[use] += 1 }
    self.cidr = cidr
    self.state = state
    self.owner = owner
    self.uses = uses
    self.holders = holders
    self.counts = counts
  }

  /// The number of addresses of a network that can be a block; 0 for any larger one.
  private static func size(of cidr: CIDR) -> Int {
    cidr.hostBits <= 12 ? 1 << cidr.hostBits : 0
  }

  private static func unused(_ cidr: CIDR, _ reserved: AddressSet) -> [AddressUse] {
    let covered = AddressSet(cidr).intersection(reserved)
    let size = size(of: cidr)
    if covered.isEmpty { return Array(repeating: .free, count: size) }
    return (0..<size).map { ordinal in
      cidr.network.advanced(by: UInt128(ordinal)).map(covered.contains) == true ? .reserved : .free
    }
  }

  /// The address at an offset.
  public func address(at ordinal: Int) -> IPAddress {
    // Ordinals are below the size, so the sum stays inside the block.
    cidr.network.advanced(by: UInt128(ordinal)) ?? cidr.network
  }

  /// Who has an address; nil when nobody has it.
  public func holder(at ordinal: Int) -> AddressHolder? {
    holders.indices.contains(ordinal) ? holders[ordinal] : nil
  }

  /// The ordinals of the addresses that lie in a network as well.
  func ordinals(in network: CIDR) -> Range<Int> {
    if network.contains(cidr) { return 0..<uses.count }
    guard cidr.contains(network.network) else { return 0..<0 }
    let start = Int(truncatingIfNeeded: network.network.number - cidr.network.number)
    return start..<min(start + Self.size(of: network), uses.count)
  }

  /// The sums of the addresses that lie in a network as well.
  func counts(in network: CIDR) -> UseCounts {
    let ordinals = ordinals(in: network)
    if ordinals.count == uses.count { return counts }
    var counts = UseCounts()
    for use in uses[ordinals] { counts[use] += 1 }
    return counts
  }
}
