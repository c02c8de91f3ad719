import CalicoModel
import Datastore
import IPAddressing
import IntegrityCheck

/// What the blocks of a datastore give out, as it is at one time.
struct Inventory {
  /// An address that is given out, or cools down.
  struct Allocation {
    let address: IPAddress
    let sequenceNumber: UInt64
  }

  /// What each handle holds.
  private(set) var addressesByHandle: [String: [Allocation]] = [:]

  init(_ session: Session) async throws {
    try await session.forEachBlock { cidr, stored in
      // What cannot be read is for 'ipam check', which names it.
      if let block = try? BlockRecord(stored, cidr) { add(block) }
    }
  }

  private mutating func add(_ block: BlockRecord) {
    for (ordinal, index) in block.allocations.enumerated() {
      guard let index, let address = block.address(at: ordinal), let attribute = block.attribute(index),
        let handle = attribute.sanitizedHandleID, attribute.releasedAt == nil
      else { continue }
      let allocation = Allocation(
        address: address, sequenceNumber: block.numbers[ordinal] ?? 0)
      addressesByHandle[handle, default: []].append(allocation)
    }
  }
}
