import CalicoModel
import Datastore
import IPAddressing

/// What must hold of a store at every moment (Calico IPAM specification, section 6.1): I2, I3, I7 and I8, and of I9 that
/// an address's number is below its block's.
///
/// It remembers what it has seen, so that only what changed is decoded again.
final class Invariants {
  private struct SeenBlock {
    var bytes: [UInt8]
    var counts: [String: Int]
  }

  private var blocks: [CIDR: SeenBlock] = [:]
  private var handles: [String: (bytes: [UInt8], counts: [CIDR: Int])] = [:]
  /// The highest sequence number of each block ever seen, deleted ones included.
  private var numbers: [CIDR: UInt64] = [:]

  /// What does not hold, in words.
  func violations(in store: InMemoryDatastore) -> [String] {
    var violations: [String] = []
    var present: Set<CIDR> = []
    var named: Set<String> = []
    for (path, bytes) in store.dump() {
      switch KeyPath.key(of: path) {
      case .block(let cidr):
        present.insert(cidr)
        if blocks[cidr]?.bytes != bytes { violations += see(cidr, bytes) }
      case .handle(let identifier):
        named.insert(identifier)
        guard handles[identifier]?.bytes != bytes else { continue }
        guard let handle = try? IPAMHandle(decoding: bytes) else {
          violations.append("handle \(identifier) cannot be decoded")
          continue
        }
        handles[identifier] = (bytes, handle.counts)
      default: break
      }
    }
    blocks = blocks.filter { present.contains($0.key) }
    handles = handles.filter { named.contains($0.key) }
    return violations + tooLowCounts
  }

  private func see(_ cidr: CIDR, _ bytes: [UInt8]) -> [String] {
    let block: IPAMBlock
    do {
      block = try IPAMBlock(decoding: bytes, expected: cidr)
    } catch {
      return ["block \(cidr) cannot be decoded: \(error)"]
    }
    var counts: [String: Int] = [:]
    for ordinal in block.allocations.indices {
      guard let handleID = block.attribute(at: ordinal)?.sanitizedHandleID else { continue }
      counts[handleID, default: 0] += 1
    }
    blocks[cidr] = SeenBlock(bytes: bytes, counts: counts)
    defer { numbers[cidr] = block.sequenceNumber }
    return violations(of: block)
  }

  private func violations(of block: IPAMBlock) -> [String] {
    var violations: [String] = []
    let allocated = block.allocations.indices.filter { block.allocations[$0] >= 0 }
    let ordinals = allocated + block.unallocated.map { Int($0) }
    if ordinals.sorted() != Array(0..<block.size) {
      violations.append("I2: \(block.cidr) has \(allocated) allocated and \(block.unallocated) unallocated")
    }
    let used = Set(allocated.map { Int(block.allocations[$0]) })
    if used != Set(0..<(block.attributes?.count ?? 0)) {
      violations.append(
        "I3: \(block.cidr) has \(block.attributes?.count ?? 0) attributes and refers to \(used.sorted())")
    }
    if let last = numbers[block.cidr], last >= block.sequenceNumber {
      violations.append("I8: \(block.cidr) went from number \(last) to \(block.sequenceNumber)")
    }
    for ordinal in allocated where block.allocationNumbers[ordinal] ?? 0 >= block.sequenceNumber {
      guard let number = block.allocationNumbers[ordinal] else { continue }
      violations.append("I9: ordinal \(ordinal) of \(block.cidr) has \(number), the block \(block.sequenceNumber)")
    }
    return violations
  }

  private var tooLowCounts: [String] {
    var violations: [String] = []
    for (cidr, block) in blocks {
      for (handleID, count) in block.counts {
        // What Windows keeps for itself is counted by no handle.
        if handleID.lowercased() == AllocationAttribute.windowsReservedHandle { continue }
        let counted = handles[handleID]?.counts[cidr] ?? 0
        if counted < count {
          violations.append("I7: handle \(handleID) counts \(counted) in \(cidr), which has \(count)")
        }
      }
    }
    return violations
  }
}
