public import CalicoModel
import Datastore
public import IPAddressing

/// Deletes a block that has no addresses in use and belongs to nobody: nobody could claim it, and with strict affinity
/// nobody could use it (Calico IPAM specification, section 8.3, D6).
public struct DeleteEmptyBlock: Operation {
  private let cidr: CIDR
  private let time: Timestamp
  private var outcome: RepairOutcome?

  /// The operation.
  ///
  /// - Parameters:
  ///   - cidr: the block.
  ///   - time: now.
  public init(_ cidr: CIDR, time: Timestamp) {
    self.cidr = cidr
    self.time = time
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<RepairOutcome> {
    if let outcome { return .done(outcome) }
    try planner.require([.entry(.configuration), .entry(.block(cidr))])
    var draft = Draft()
    let cooldown = try planner.configuration().cooldownSeconds
    guard let block = try planner.workingBlock(cidr, in: &draft, time: time, cooldown: cooldown) else {
      return .done(.changed)
    }
    guard block.affinity == nil, block.isEmpty else { return .done(.sound) }
    draft.blocks[cidr]?.isDeleted = true
    return .commit(draft)
  }

  public mutating func settle(_ settlement: Settlement) {
    // Whoever got ahead may have given an address out: then it is looked at again.
    if settlement.isComplete { outcome = .repaired }
  }
}
