public import IPAddressing

// What can be done to a block in memory (Calico IPAM specification, sections 2.7 and 2.11). None of these touches the
// block's own sequence number: whoever writes the block counts it up, once.

extension IPAMBlock {
  /// How many addresses can be given out.
  ///
  /// - Parameter isReserved: whether an address must not be given out automatically.
  /// - Returns: the number of free ordinals that are not reserved.
  public func freeCount(excluding isReserved: (IPAddress) -> Bool = { _ in false }) -> Int {
    var count = 0
    for ordinal in unallocated where !isReserved(address(at: Int(ordinal))) {
      count += 1
    }
    return count
  }

  /// Whether nothing but what Windows keeps for itself is given out; an address that cools down counts as given out.
  public var isEmpty: Bool {
    allocations.indices.allSatisfy { allocations[$0] < 0 || attribute(at: $0)?.isWindowsReservation ?? false }
  }

  /// Whether `owner` may have addresses of this block (section 2.9).
  public func admits(_ owner: BlockOwner, strictly isStrict: Bool) -> Bool {
    !isStrict || affinity == owner.description
  }

  /// Gives out free addresses, from the head of the queue.
  ///
  /// - Parameters:
  ///   - count: how many at most.
  ///   - attribute: what to record of their owner.
  ///   - isReserved: whether an address must be passed over; it keeps its place.
  /// - Returns: the ordinals, fewer than asked for when there are no more.
  public mutating func assign(
    _ count: Int, attribute: AllocationAttribute, excluding isReserved: (IPAddress) -> Bool = { _ in false }
  ) -> [Int] {
    var taken: [Int] = []
    var kept = 0
    for position in unallocated.indices {
      let ordinal = unallocated[position]
      if taken.count < count, !isReserved(address(at: Int(ordinal))) {
        taken.append(Int(ordinal))
      } else {
        unallocated[kept] = ordinal
        kept += 1
      }
    }
    guard !taken.isEmpty else { return [] }
    unallocated.removeLast(unallocated.count - kept)
    let index = self.index(of: attribute)
    for ordinal in taken {
      allocations[ordinal] = index
      allocationNumbers[ordinal] = sequenceNumber
    }
    return taken
  }

  /// Gives out one address, wherever it is in the queue.
  ///
  /// - Returns: false, and nothing done, when it is not free.
  public mutating func assign(ordinal: Int, attribute: AllocationAttribute) -> Bool {
    guard allocations[ordinal] < 0 else { return false }
    allocationNumbers[ordinal] = sequenceNumber
    allocations[ordinal] = index(of: attribute)
    unallocated.removeAll { $0 == Int32(ordinal) }
    return true
  }

  /// Where an attribute is, or where it was put when no equal one was there.
  private mutating func index(of attribute: AllocationAttribute) -> Int32 {
    if let index = attributes?.firstIndex(where: { !$0.hasUnknownMembers && $0 == attribute }) { return Int32(index) }
    attributes = (attributes ?? []) + [attribute]
    return Int32((attributes?.count ?? 1) - 1)
  }

  /// Gives addresses back: they cool down, and with no cooldown are free at once.
  ///
  /// - Parameters:
  ///   - ordinals: what to give back, all of it given out and in use.
  ///   - time: now.
  ///   - cooldown: seconds before an address is free again.
  ///   - renumbers: whether the ordinals' sequence entries become the block's number, as they do for a release by
  ///     address (section 2.6).
  public mutating func release(_ ordinals: [Int], time: Timestamp, cooldown: Int, renumbers: Bool) {
    guard !ordinals.isEmpty else { return }
    attributes = (attributes ?? []) + [AllocationAttribute(releasedAt: time)]
    let index = Int32((attributes?.count ?? 1) - 1)
    for ordinal in ordinals {
      allocations[ordinal] = index
      if renumbers { allocationNumbers[ordinal] = sequenceNumber }
    }
    _ = collect(time: time, cooldown: cooldown)
  }

  /// Frees what has cooled down and drops attributes that nothing refers to.
  ///
  /// This comes first whenever a block was read for a decision. With a cooldown of 0, whatever cools down is free.
  ///
  /// - Returns: whether anything changed.
  public mutating func collect(time: Timestamp, cooldown: Int) -> Bool {
    guard let attributes else { return false }
    let limit = time.advanced(bySeconds: -Int64(max(0, cooldown)))
    let isCold = attributes.map { attribute in
      attribute.releasedAt.map { cooldown <= 0 || $0 < limit } ?? false
    }
    var isReferenced = [Bool](repeating: false, count: attributes.count)
    var hasChanged = false
    for ordinal in allocations.indices where allocations[ordinal] >= 0 {
      let index = Int(allocations[ordinal])
      if isCold[index] {
        allocations[ordinal] = -1
        unallocated.append(Int32(ordinal))
        allocationNumbers[ordinal] = nil
        hasChanged = true
      } else {
        isReferenced[index] = true
      }
    }
    guard isReferenced.contains(false) else { return hasChanged }
    dropAttributes { !isReferenced[$0] }
    return true
  }

  mutating func dropAttributes(where isUnused: (Int) -> Bool) {
    var kept: [AllocationAttribute] = []
    var places: [Int32] = []
    for (index, attribute) in (attributes ?? []).enumerated() {
      places.append(Int32(kept.count))
      if !isUnused(index) { kept.append(attribute) }
    }
    for ordinal in allocations.indices where allocations[ordinal] >= 0 {
      allocations[ordinal] = places[Int(allocations[ordinal])]
    }
    attributes = kept
  }

  /// The ordinals whose owner is a handle, in ascending order. Handles are compared after sanitising, case included.
  public func ordinals(ofHandle handleID: String) -> [Int] {
    guard let attributes else { return [] }
    let matches = attributes.map { $0.sanitizedHandleID == handleID }
    guard matches.contains(true) else { return [] }
    return allocations.indices.filter { allocations[$0] >= 0 && matches[Int(allocations[$0])] }
  }

  /// Replaces what is recorded of one ordinal's owner, and of no other's that shares it (section 8.3, D12); nothing
  /// when the ordinal is free.
  public mutating func setAttribute(_ attribute: AllocationAttribute, at ordinal: Int) {
    let old = allocations[ordinal]
    guard var attributes, old >= 0 else { return }
    if allocations.lazy.filter({ $0 == old }).count > 1 {
      allocations[ordinal] = Int32(attributes.count)
      attributes.append(attribute)
    } else {
      attributes[Int(old)] = attribute
    }
    self.attributes = attributes
  }
}
