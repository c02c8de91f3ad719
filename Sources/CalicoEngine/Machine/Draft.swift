import CalicoModel
public import Datastore
import IPAddressing

/// Addresses of a block that a handle counts.
struct HandleCount: Hashable, Sendable {
  var handleID: String
  var block: CIDR
  var count: Int
}

/// A plan in the making: values that an operation has changed in memory, and what they were made from.
public struct Draft: Sendable {
  /// A block with what is to become of it.
  struct WorkingBlock: Sendable {
    var base: Base
    var block: IPAMBlock
    /// Whether the block's sequence number goes up once more when it is written (specification section 2.6).
    var isChanged = false
    /// Whether the block is written for the sake of its sequence number, which has gone up already.
    var isTouched = false
    var isDeleted = false

    var isWritten: Bool { isChanged || isTouched || isDeleted || base == .absent }
  }

  struct WorkingHandle: Sendable {
    var base: Base
    var handle: IPAMHandle
    var isChanged = false
  }

  struct WorkingAffinity: Sendable {
    var base: Base
    var staged: BlockAffinity?
    /// Nil to delete it.
    var final: BlockAffinity?
  }

  var blocks: [CIDR: WorkingBlock] = [:]
  var handles: [String: WorkingHandle] = [:]
  var affinities: [Key: WorkingAffinity] = [:]
  var others: [Change] = []
  /// What the handles count more for addresses that the blocks give out.
  var increments: [HandleCount] = []
  /// What the handles count less for addresses that the blocks take back.
  var decrements: [HandleCount] = []
  /// Whether addresses are given back: then blocks are written before handles, otherwise after them, so that a handle's
  /// count is never too low (invariant I7).
  var releases = false
  var durability = Plan.Durability.process

  public init() {}

  var isEmpty: Bool {
    others.isEmpty && affinities.isEmpty && writtenBlocks == 0 && !handles.values.contains { $0.isChanged }
  }

  /// Adds what another draft changes; the two must be about different entries.
  mutating func merge(_ other: Draft) {
    blocks.merge(other.blocks) { mine, _ in mine }
    handles.merge(other.handles) { mine, _ in mine }
    affinities.merge(other.affinities) { mine, _ in mine }
    others += other.others
    increments += other.increments
    decrements += other.decrements
  }

  /// How many blocks are to be written.
  var writtenBlocks: Int { blocks.values.count { $0.isWritten } }

  /// The plan: affinities, then handles and blocks in the order that keeps counts from being too low.
  public var plan: Plan {
    var changes: [Change] = []
    for key in affinities.keys.sorted(by: Self.isBefore) {
      guard let affinity = affinities[key] else { continue }
      changes.append(
        Change(
          key, base: affinity.base, staged: affinity.staged.map { .affinity($0) },
          final: affinity.final.map { .value(.affinity($0)) } ?? .delete))
    }
    changes += releases ? blockChanges + handleChanges : handleChanges + blockChanges
    return Plan(changes + others, durability: durability)
  }

  private var blockChanges: [Change] {
    blocks.keys.sorted { $0.address < $1.address }.compactMap { cidr in
      guard var working = blocks[cidr], working.isWritten else { return nil }
      if working.isDeleted {
        return working.base == .absent ? nil : Change(.block(cidr), base: working.base, final: .delete)
      }
      if working.isChanged { working.block.sequenceNumber += 1 }
      return Change(.block(cidr), base: working.base, final: .value(.block(working.block)))
    }
  }

  private var handleChanges: [Change] {
    handles.keys.sorted().compactMap { identifier in
      guard let working = handles[identifier], working.isChanged else { return nil }
      guard working.handle.isEmpty else {
        return Change(.handle(identifier), base: working.base, final: .value(.handle(working.handle)))
      }
      return working.base == .absent ? nil : Change(.handle(identifier), base: working.base, final: .delete)
    }
  }

  private static func isBefore(_ left: Key, _ right: Key) -> Bool {
    KeyPath.path(of: left).utf8.lexicographicallyPrecedes(KeyPath.path(of: right).utf8)
  }
}
