public import IPAddressing
import JSON

/// Something in a block that contradicts the rest of it, and what sets it right without taking an address from anybody
/// (Calico IPAM specification, section 8.4).
public enum BlockMending: Hashable, Sendable, CustomStringConvertible {
  /// The allocations of ordinals end too soon: what is in no list counts as given out.
  case missingAllocations(Int)
  /// There are entries behind the last address, which give out nothing.
  case surplusAllocations(Int)
  /// An ordinal refers to an attribute that is not there: it stays given out, to an owner that nothing is recorded of.
  case nonexistentAttribute(ordinal: Int)
  /// Attributes that no ordinal refers to are dropped.
  case unreferencedAttributes(Int)
  /// A release is recorded for a time to come: it counts from now.
  case futureRelease(attribute: Int)
  /// Ordinals that are not in the block, or not for the first time, or given out are taken off the queue of free ones.
  case wrongFreeOrdinals(Int)
  /// Ordinals that are free are put at the queue's end.
  case missingFreeOrdinals(Int)

  public var description: String {
    switch self {
    case .missingAllocations(let count): "adds \(count) allocations that are missing, as given out unless they are free"
    case .surplusAllocations(let count): "drops \(count) allocations behind the last address"
    case .nonexistentAttribute(let ordinal): "keeps ordinal \(ordinal) given out, with an attribute that says nothing"
    case .unreferencedAttributes(let count): "drops \(count) attributes that no allocation refers to"
    case .futureRelease(let index): "lets the cool-down of attribute \(index) begin now"
    case .wrongFreeOrdinals(let count): "takes \(count) ordinals off the free ones"
    case .missingFreeOrdinals(let count): "adds \(count) ordinals to the free ones"
    }
  }
}

extension IPAMBlock {
  /// Reads a block that may contradict itself, and sets right what can be.
  ///
  /// No address is given out or taken back: one that is given out in any reading of the text stays so.
  ///
  /// - Parameters:
  ///   - document: the stored text.
  ///   - expected: the network that the entry's key names.
  ///   - time: now.
  /// - Returns: the block as it should be, and what was done to it; nothing when it was sound.
  /// - Throws: ``ModelError`` when the text is malformed, or about another network, so that nobody can tell what it means.
  public static func mended(
    decoding document: [UInt8], expected: CIDR, at time: Timestamp
  ) throws(ModelError) -> (block: IPAMBlock, mendings: [BlockMending]) {
    var block = try IPAMBlock(unchecked: document, expected: expected)
    var mendings: [BlockMending] = []
    try block.mendSize(&mendings)
    block.mendIndices(&mendings)
    block.mendReleases(at: time, &mendings)
    block.mendQueue(&mendings)
    return (block, mendings)
  }

  /// Whether nothing in the block contradicts the rest of it; what was read strictly can only be unsound in ways that
  /// any change of the block leaves no worse.
  public func isSound(at time: Timestamp) -> Bool {
    var isReferenced = [Bool](repeating: false, count: attributes?.count ?? 0)
    var allocated = 0
    for index in allocations where index >= 0 {
      guard Int(index) < isReferenced.count else { return false }
      isReferenced[Int(index)] = true
      allocated += 1
    }
    guard allocated + unallocated.count == size, !isReferenced.contains(false) else { return false }
    return attributes?.allSatisfy { ($0.releasedAt ?? time) <= time } ?? true
  }

  private mutating func mendSize(_ mendings: inout [BlockMending]) throws(ModelError) {
    guard cidr.hostBits <= 12 else {
      throw ModelError(.corrupt, "a block of more than \(Self.maximumSize) addresses")
    }
    let size = 1 << cidr.hostBits
    if allocations.count > size {
      guard allocations[size...].allSatisfy({ $0 == -1 }) else {
        throw ModelError(.corrupt, "\(allocations.count) allocations where \(cidr) has \(size) addresses")
      }
      mendings.append(.surplusAllocations(allocations.count - size))
      allocations.removeLast(allocations.count - size)
    } else if allocations.count < size {
      mendings.append(.missingAllocations(size - allocations.count))
      let free = Set(unallocated)
      for ordinal in Int32(allocations.count)..<Int32(size) {
        // An index that no attribute has is set right as any other.
        allocations.append(free.contains(ordinal) ? -1 : .max)
      }
    } else {
      return
    }
    let old = allocationNumbers
    allocationNumbers = AllocationNumbers(size: size)
    allocationNumbers.isNull = old.isNull
    for ordinal in 0..<min(size, old.size) {
      if let number = old[ordinal] { allocationNumbers[ordinal] = number }
    }
  }

  private mutating func mendIndices(_ mendings: inout [BlockMending]) {
    let count = attributes?.count ?? 0
    var isReferenced = [Bool](repeating: false, count: count)
    var blank: Int32?
    for ordinal in allocations.indices where allocations[ordinal] != -1 {
      let index = Int(allocations[ordinal])
      if isReferenced.indices.contains(index) {
        isReferenced[index] = true
        continue
      }
      let place = blank ?? Int32(attributes?.count ?? 0)
      if blank == nil { attributes = (attributes ?? []) + [AllocationAttribute(handleID: nil)] }
      blank = place
      allocations[ordinal] = place
      mendings.append(.nonexistentAttribute(ordinal: ordinal))
    }
    let unreferenced = isReferenced.count { !$0 }
    guard unreferenced > 0 else { return }
    mendings.append(.unreferencedAttributes(unreferenced))
    dropAttributes { $0 < count && !isReferenced[$0] }
  }

  private mutating func mendReleases(at time: Timestamp, _ mendings: inout [BlockMending]) {
    for (index, attribute) in (attributes ?? []).enumerated() {
      guard let releasedAt = attribute.releasedAt, releasedAt > time else { continue }
      attributes?[index] = AllocationAttribute(releasedAt: time)
      mendings.append(.futureRelease(attribute: index))
    }
  }

  private mutating func mendQueue(_ mendings: inout [BlockMending]) {
    var isFree = [Bool](repeating: false, count: size)
    let queue = unallocated.filter { ordinal in
      guard isFree.indices.contains(Int(ordinal)), !isFree[Int(ordinal)], allocations[Int(ordinal)] == -1 else {
        return false
      }
      isFree[Int(ordinal)] = true
      return true
    }
    if queue.count < unallocated.count { mendings.append(.wrongFreeOrdinals(unallocated.count - queue.count)) }
    let missing = allocations.indices.filter { allocations[$0] == -1 && !isFree[$0] }
    if !missing.isEmpty { mendings.append(.missingFreeOrdinals(missing.count)) }
    unallocated = queue + missing.map { Int32($0) }
  }
}
