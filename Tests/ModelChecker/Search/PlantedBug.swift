import CalicoModel
import Datastore
import IPAddressing

/// A mistake that is put between the engine and the store, to see whether the checker finds it. The engine itself has
/// no switch for it.
public enum PlantedBug: String, CaseIterable, Sendable {
  case blindBlockUpdate = "a block is updated without comparing"
  case blindBlockDeletion = "a block is deleted without comparing"
  case blockOverExisting = "a new block is written over one that exists"
  case handleAfterBlock = "an assignment writes the handle after the block"
  case handleBeforeBlock = "a release writes the handle before the block"
  case handleForgotten = "an assignment does not count in its handle"
  case handleDeleted = "a release deletes a handle that still counts addresses"
  case numberNotCounted = "the sequence number does not go up"
  case confirmedFirst = "the affinity is confirmed before the block is there"
  case releaseIgnoresNumber = "a release ignores the sequence number it was given"
  case doubtTakenForConflict = "what may have been written is taken for not written, and the count taken back"
  case doubtTakenForSuccess = "what may have been written is taken for written"
  case conflictTakenForSuccess = "a conflict is taken for success"
  case nonEmptyDeleted = "a block that is given up is deleted although it is not empty"
  case wrongOrdinal = "another address is written than is reported"
  case staleContents = "remembered contents are trusted with a fresh revision"
  case cooldownIgnored = "the cooldown is read as none"
}

/// What a planted bug remembers.
struct BugMemory {
  /// The contents of blocks as each node first read them.
  var contents: [String: [Key: [UInt8]]] = [:]
}

extension PlantedBug {
  private static func concerns(_ process: Process) -> Bool { !process.action.isUpstream && process.action.isFallible }

  /// The options of a release as the engine is told them.
  func options(_ options: [ReleaseOption]) -> [ReleaseOption] {
    guard self == .releaseIgnoresNumber else { return options }
    return options.map { ReleaseOption($0.address, handleID: $0.handleID) }
  }

  /// What the engine is told of a commit.
  func outcome(_ outcome: Outcome) -> Outcome {
    switch (self, outcome) {
    case (.doubtTakenForConflict, .unknown(let write, let applied)):
      .conflict(write?.key ?? .configuration, applied: applied)
    case (.doubtTakenForSuccess, .unknown), (.conflictTakenForSuccess, .conflict): .applied([:])
    default: outcome
    }
  }

  /// What the engine is told of an entry.
  func result(
    _ result: ReadResult, _ read: Read, _ process: Process, _ store: ModelStore, _ memory: inout BugMemory
  ) -> ReadResult {
    guard Self.concerns(process), case .entry(let key) = read, case .entry(var stored?) = result else { return result }
    switch (self, key) {
    case (.staleContents, .block):
      if let known = memory.contents[process.host]?[key] {
        stored.bytes = known
      } else {
        memory.contents[process.host, default: [:]][key] = stored.bytes
      }
    case (.cooldownIgnored, .configuration):
      guard case .configuration(var configuration)? = store.value(.configuration) else { break }
      configuration.cooldownSeconds = 0
      stored.bytes = configuration.encoded()
    default: break
    }
    return .entry(stored)
  }

  /// The plan that is committed instead of the engine's.
  func plan(_ plan: Plan, _ process: Process, _ store: ModelStore, _ memory: inout BugMemory) -> Plan {
    guard Self.concerns(process) else { return plan }
    var plan = plan
    let assigns = process.action.assigns
    switch self {
    case .handleAfterBlock where assigns, .handleBeforeBlock where !assigns:
      let handles = plan.changes.filter { EntryKind(of: $0.key) == .handles }
      let others = plan.changes.filter { EntryKind(of: $0.key) != .handles }
      plan.changes = assigns ? others + handles : handles + others
    case .handleForgotten where assigns: plan.changes.removeAll { EntryKind(of: $0.key) == .handles }
    default:
      for index in plan.changes.indices { spoil(&plan.changes[index], assigns: assigns, store) }
    }
    return plan
  }

  private func spoil(_ change: inout Change, assigns: Bool, _ store: ModelStore) {
    switch (self, change.key, change.final) {
    case (.blindBlockUpdate, .block, .value) where change.base != .absent: change.base = .any
    case (.blindBlockDeletion, .block, .delete): change.base = .any
    case (.blockOverExisting, .block, .value) where change.base == .absent: change.base = .any
    case (.handleDeleted, .handle, .value) where !assigns: change.final = .delete
    case (.numberNotCounted, .block, .value(.block(var block))) where change.base != .absent:
      block.sequenceNumber -= 1
      change.final = .value(.block(block))
    case (.confirmedFirst, .affinity, .value(.affinity)) where change.staged != nil:
      change.staged = .affinity(BlockAffinity(.confirmed))
    case (.nonEmptyDeleted, .block, .value(.block(let block))) where block.affinity == nil && !assigns:
      if case .block(let stored)? = store.value(change.key), stored.affinity != nil { change.final = .delete }
    case (.wrongOrdinal, .block(let cidr), .value(.block(let planned))) where assigns:
      if let other = Self.otherwise(planned, cidr, store) { change.final = .value(.block(other)) }
    default: break
    }
  }

  /// The block with the last free address taken instead of the planned one.
  private static func otherwise(_ planned: IPAMBlock, _ cidr: CIDR, _ store: ModelStore) -> IPAMBlock? {
    guard case .block(var block)? = store.value(.block(cidr)), let last = block.unallocated.last,
      let taken = (0..<block.size).first(where: { block.allocations[$0] < 0 && planned.allocations[$0] >= 0 }),
      taken != Int(last), let attribute = planned.attribute(at: taken),
      block.assign(ordinal: Int(last), attribute: attribute)
    else { return nil }
    block.sequenceNumber = planned.sequenceNumber
    return block
  }
}
