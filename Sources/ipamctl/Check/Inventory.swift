import CalicoModel
import Datastore
import IPAddressing
import IntegrityCheck

/// All blocks, pools, nodes, handles and records of a datastore as they are at one time.
struct Inventory {
  /// An address that is given out, or cools down.
  struct Allocation {
    let address: IPAddress
    /// What is recorded of it; nil when the block names an attribute that does not exist.
    let attribute: BlockRecord.Attribute?
    /// The node that has it, as far as that is known.
    let node: String
    let sequenceNumber: UInt64
  }

  var blocks: [BlockRecord] = []
  /// Blocks that cannot be read, and why.
  var unreadableBlocks: [(cidr: CIDR, reason: String)] = []
  /// What each block gives out, in the order of ordinals.
  var allocations: [CIDR: [Allocation]] = [:]
  /// Pools that are not disabled, as they are written.
  var activePools: [(written: String, cidr: CIDR?)] = []
  /// The tunnel addresses of nodes.
  var tunnels: [(node: String, address: IPAddress)] = []
  /// All handles that are stored.
  var handles: [String] = []

  init(_ session: Session) async throws {
    try await session.forEachBlock { cidr, stored in
      do throws(ModelError) { add(try BlockRecord(stored, cidr)) } catch {
        unreadableBlocks.append((cidr, error.description))
      }
    }
    for item in try await session.items(.resources(.ipPool)) {
      guard case .resource(_, let name) = item.key, let stored = item.stored,
        let pool = try? IPPool(decoding: stored.bytes, name: name), !pool.isDisabled
      else { continue }
      activePools.append((pool.writtenCIDR, pool.cidr))
    }
    for item in try await session.items(.resources(.node)) {
      guard case .resource(_, let name) = item.key, let stored = item.stored,
        let node = try? Resource(stored: stored.bytes, kind: .node, name: name)
      else { continue }
      tunnels += NodeAddresses.tunnels(node.specification).map { (name, $0) }
    }
    for item in try await session.items(.handles) {
      if case .handle(let identifier) = item.key { handles.append(identifier) }
    }
  }

  private mutating func add(_ block: BlockRecord) {
    blocks.append(block)
    allocations[block.cidr] = block.allocations.enumerated().compactMap { ordinal, index in
      guard let index, let address = block.address(at: ordinal) else { return nil }
      let attribute = block.attribute(index)
      let node = attribute?.owner["node"] ?? ""
      return Allocation(
        address: address, attribute: attribute, node: node.isEmpty ? block.host : node,
        sequenceNumber: block.numbers[ordinal] ?? 0)
    }
  }

  /// Everything that is given out or cools down, in the order of blocks.
  var allAllocations: [Allocation] { blocks.flatMap { allocations[$0.cidr] ?? [] } }

  /// What each handle holds.
  var addressesByHandle: [String: [Allocation]] {
    var holdings: [String: [Allocation]] = [:]
    for allocation in allAllocations {
      guard let handle = allocation.attribute?.sanitizedHandleID, allocation.attribute?.releasedAt == nil else {
        continue
      }
      holdings[handle, default: []].append(allocation)
    }
    return holdings
  }

  /// Whether an address lies in a pool that is not disabled.
  func isInActivePool(_ address: IPAddress) -> Bool { activePools.contains { $0.cidr?.contains(address) == true } }
}
