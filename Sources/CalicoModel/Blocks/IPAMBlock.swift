public import IPAddressing

/// An allocation block: which of its addresses are given to whom, and which owner it is affine to.
///
/// This is the authority on both. An *ordinal* is the offset of an address in the block, 0 to ``size`` - 1. Values are
/// exact: what was read is written again unchanged but for what was done to it (Calico IPAM specification, sections 1.6
/// and 2).
public struct IPAMBlock: Hashable, Sendable {
  /// The block's network.
  public let cidr: CIDR
  /// The owner as it is written, such as `host:node-a`; nil when the block is affine to nobody.
  public var affinity: String?
  /// When the owner claimed it, whole seconds; nil means long ago.
  public var affinityClaimTime: Timestamp?
  /// For each ordinal the index of its attribute, or -1 when it is free.
  public internal(set) var allocations: [Int32]
  /// The free ordinals, in the order in which they will be given out.
  public internal(set) var unallocated: [Int32]
  /// What is recorded of the owners of addresses; nil as long as there never was any.
  public internal(set) var attributes: [AllocationAttribute]?
  /// Counts the revisions of the block; starts at a time in nanoseconds, so that a block made anew repeats none.
  public var sequenceNumber: UInt64
  /// For each ordinal the sequence number with which it was given out; may hold entries of free ordinals.
  public internal(set) var allocationNumbers: AllocationNumbers
  /// Whether the entry is being deleted, where deletion takes two writes.
  public var isDeleted = false
  var unknown = UnknownMembers()

  /// How many addresses the block has.
  public var size: Int { allocations.count }

  /// The most addresses that a block can have: /20 and /116 (section 4.1.2); wider values are refused on reading.
  public static let maximumSize = 4096

  /// The owner, when ``affinity`` names one that can be acted for.
  public var owner: BlockOwner? { affinity.flatMap { BlockOwner($0) } }

  /// A block claimed by an owner, with every address free but those that a host reserves for itself (section 2.2).
  ///
  /// - Parameters:
  ///   - cidr: the block's network, at most ``maximumSize`` addresses.
  ///   - owner: who claims it.
  ///   - time: now. The claim time is its whole seconds, the first sequence number its nanoseconds.
  ///   - reservation: the ordinals that the host keeps at both ends.
  public init(cidr: CIDR, owner: BlockOwner, time: Timestamp, reservation: HostReservation? = nil) {
    self.cidr = cidr
    affinity = owner.description
    affinityClaimTime = time.truncated
    sequenceNumber = UInt64(max(0, time.nanoseconds))
    let size = cidr.hostBits <= 12 ? 1 << cidr.hostBits : 0
    allocations = Array(repeating: -1, count: size)
    allocationNumbers = AllocationNumbers(size: size)
    guard let reservation else {
      unallocated = (0..<Int32(size)).map { $0 }
      return
    }
    let end = max(0, size - reservation.endOfBlock)
    let start = min(reservation.startOfBlock, end)
    attributes = [AllocationAttribute(handleID: reservation.handleID, owner: ["note": reservation.note])]
    unallocated = (start..<end).map { Int32($0) }
    for ordinal in 0..<size where ordinal < start || ordinal >= end {
      allocations[ordinal] = 0
    }
  }

  init(cidr: CIDR, allocations: [Int32], unallocated: [Int32], sequenceNumber: UInt64, numbers: AllocationNumbers) {
    self.cidr = cidr
    self.allocations = allocations
    self.unallocated = unallocated
    self.sequenceNumber = sequenceNumber
    self.allocationNumbers = numbers
  }

  /// The block that an address lies in, for a pool's block size.
  public static func cidr(containing address: IPAddress, prefixLength: Int) -> CIDR? {
    guard let host = CIDR(address, prefixLength: prefixLength) else { return nil }
    return CIDR(host.network, prefixLength: prefixLength)
  }

  /// The offset of an address in the block, or nil outside.
  public func ordinal(of address: IPAddress) -> Int? {
    guard cidr.contains(address) else { return nil }
    return Int(truncatingIfNeeded: address.number - cidr.address.number)
  }

  /// The address at an offset.
  public func address(at ordinal: Int) -> IPAddress {
    // Ordinals are below the size, so the sum stays inside the block.
    cidr.address.advanced(by: UInt128(ordinal)) ?? cidr.address
  }

  /// The attribute of an ordinal, or nil when it is free.
  public func attribute(at ordinal: Int) -> AllocationAttribute? {
    let index = Int(allocations[ordinal])
    guard index >= 0, let attributes, index < attributes.count else { return nil }
    return attributes[index]
  }

  /// Whether an ordinal is given out and in use; one that cools down is not.
  public func isInUse(_ ordinal: Int) -> Bool {
    guard let attribute = attribute(at: ordinal) else { return false }
    return attribute.releasedAt == nil
  }
}

/// The ordinals that a host keeps for itself at both ends of every block it claims (section 2.5).
public struct HostReservation: Hashable, Sendable {
  public var startOfBlock: Int
  public var endOfBlock: Int
  public var handleID: String
  public var note: String

  public init(startOfBlock: Int, endOfBlock: Int, handleID: String, note: String) {
    self.startOfBlock = startOfBlock
    self.endOfBlock = endOfBlock
    self.handleID = handleID
    self.note = note
  }
}

/// For each ordinal of a block the sequence number with which it was last given out or given back.
public struct AllocationNumbers: Hashable, Sendable {
  /// Whether the member is null or absent, as it is in old data until the first assignment.
  var isNull = false
  private var numbers: [UInt64]
  private var isPresent: [Bool]

  init(size: Int) {
    numbers = Array(repeating: 0, count: size)
    isPresent = Array(repeating: false, count: size)
  }

  /// The number of an ordinal; nil when there is none.
  public subscript(_ ordinal: Int) -> UInt64? {
    get { isPresent[ordinal] ? numbers[ordinal] : nil }
    set {
      isPresent[ordinal] = newValue != nil
      numbers[ordinal] = newValue ?? 0
      if newValue != nil { isNull = false }
    }
  }

  var size: Int { numbers.count }
}
