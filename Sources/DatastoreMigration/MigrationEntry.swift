public import CalicoModel
public import Datastore
import IPAddressing

/// An entry of address management that moves from one datastore to another: a block, an affinity, a handle or the
/// switches.
public struct MigrationEntry: Hashable, Sendable {
  public let key: Key
  /// The JSON that etcd keeps.
  public let text: [UInt8]

  public init(_ key: Key, _ text: [UInt8]) {
    self.key = key
    self.text = text
  }

  /// What the text says.
  ///
  /// - Throws: ``MigrationError`` of code `unreadable`, which names the entry.
  public func value() throws(MigrationError) -> Value {
    do throws(ModelError) {
      switch key {
      case .block(let cidr): return .block(try IPAMBlock(decoding: text, expected: cidr))
      case .affinity: return .affinity(try BlockAffinity(decoding: text))
      case .handle: return .handle(try IPAMHandle(decoding: text))
      case .configuration: return .configuration(try IPAMConfiguration(decoding: text))
      case .host, .resource: return .resource(text)
      }
    } catch {
      throw MigrationError(
        .unreadable,
        "\(key) cannot be understood: \(error); repair or delete it, for what is in it cannot be moved")
    }
  }
}

extension Value {
  /// Whether the entry is being deleted, where deletion takes two writes: it is gone.
  var isBeingDeleted: Bool {
    switch self {
    case .block(let block): block.isDeleted
    case .affinity(let affinity): affinity.isDeleted
    case .handle(let handle): handle.isDeleted
    case .configuration, .resource: false
    }
  }

  /// Whether two values mean the same to address management, however an engine writes them.
  ///
  /// Members that are unknown here do not count: Kubernetes keeps none that its schema lacks.
  func means(_ other: Value) -> Bool {
    switch (self, other) {
    case (.block(let left), .block(let right)): left.means(right)
    case (.affinity(let left), .affinity(let right)): left.state == right.state
    case (.handle(let left), .handle(let right)): left.counts == right.counts
    case (.configuration(let left), .configuration(let right)): left.means(right)
    default: false
    }
  }
}

extension IPAMBlock {
  fileprivate func means(_ other: IPAMBlock) -> Bool {
    guard cidr == other.cidr, affinity == other.affinity, affinityClaimTime == other.affinityClaimTime,
      allocations == other.allocations, unallocated == other.unallocated, sequenceNumber == other.sequenceNumber
    else { return false }
    let (left, right) = (attributes ?? [], other.attributes ?? [])
    guard left.count == right.count, zip(left, right).allSatisfy({ $0.means($1) }) else { return false }
    return (0..<size).allSatisfy { allocationNumbers[$0] == other.allocationNumbers[$0] }
  }
}

extension AllocationAttribute {
  fileprivate func means(_ other: AllocationAttribute) -> Bool {
    handleID == other.handleID && releasedAt == other.releasedAt && owner == other.owner
      && alternateOwner == other.alternateOwner
  }
}

extension IPAMConfiguration {
  fileprivate func means(_ other: IPAMConfiguration) -> Bool {
    let persistence = virtualMachineAddressPersistence ?? .enabled
    return strictAffinity == other.strictAffinity && autoAllocateBlocks == other.autoAllocateBlocks
      && maxBlocksPerHost == other.maxBlocksPerHost && cooldownSeconds == other.cooldownSeconds
      && persistence == other.virtualMachineAddressPersistence ?? .enabled
  }
}
