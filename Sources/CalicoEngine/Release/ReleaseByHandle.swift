public import CalicoModel
import Datastore
public import IPAddressing

/// Gives back every address of some handles (Calico IPAM specification, section 3.11).
public struct ReleaseByHandle: Operation {
  /// What was done.
  public struct Result: Hashable, Sendable {
    /// How many addresses were given back, by handle; handles that do not exist are left out.
    public var counts: [String: Int] = [:]
    /// The blocks in which addresses became free, with their owners.
    public var freed: [CIDR: BlockOwner?] = [:]
  }

  private let handleIDs: [String]
  private let time: Timestamp
  private var result = Result()
  private var planned: [HandleCount] = []
  /// Handles of which something was or may have been committed: that they are gone now is what was wanted.
  private var begun: Set<String> = []
  private var isFinished = false

  /// The operation.
  ///
  /// - Parameters:
  ///   - handleIDs: the handles; what an old migration appended is cut off.
  ///   - time: now.
  public init(_ handleIDs: [String], time: Timestamp) {
    self.handleIDs = handleIDs.map(AllocationAttribute.sanitized)
    self.time = time
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<Result> {
    if isFinished { return .done(result) }
    try planner.require([.entry(.configuration)] + handleIDs.map { .entry(.handle($0)) })
    let cooldown = try planner.configuration().cooldownSeconds
    var draft = Draft()
    draft.releases = true
    planned = []
    for handleID in handleIDs {
      guard let (handle, _) = try planner.handle(handleID) else { continue }
      result.counts[handleID, default: 0] += 0
      let blocks = handle.counts.keys.sorted { $0.address < $1.address }
      try planner.require(blocks.filter { draft.blocks[$0] == nil }.map { .entry(.block($0)) })
      for cidr in blocks {
        try release(handleID, cidr, cooldown, &planner, &draft)
      }
    }
    return draft.isEmpty ? .done(result) : .commit(draft)
  }

  private mutating func release(
    _ handleID: String, _ cidr: CIDR, _ cooldown: Int, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) {
    // The entry of a block that is gone stays: whether it is too much is found out at leisure (section 6.3 item 2).
    guard var block = try planner.workingBlock(cidr, in: &draft, time: time, cooldown: cooldown) else { return }
    let ordinals = block.ordinals(ofHandle: handleID)
    guard !ordinals.isEmpty else { return }
    block.release(ordinals, time: time, cooldown: cooldown, renumbers: false)
    draft.update(block)
    if block.isEmpty, block.affinity == nil { draft.blocks[cidr]?.isDeleted = true }
    try planner.ensureConsistentAffinity(cidr, in: &draft)
    try planner.countOut(ordinals.count, of: cidr, from: handleID, in: &draft)
    planned.append(HandleCount(handleID: handleID, block: cidr, count: ordinals.count))
    result.freed[cidr] = .some(block.owner)
  }

  public mutating func settle(_ settlement: Settlement) {
    for count in planned where settlement.applied.contains(.block(count.block)) {
      result.counts[count.handleID, default: 0] += count.count
    }
    isFinished = settlement.isComplete
  }
}
