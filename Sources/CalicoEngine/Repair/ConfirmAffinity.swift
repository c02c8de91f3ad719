public import CalicoModel
public import Datastore
public import IPAddressing

/// Confirms an affinity whose block is its owner's, or makes it when it is missing (Calico IPAM specification, section
/// 6.2, W2, W8 and W14): otherwise nobody finishes it while its owner is idle, and without it the owner does not know of
/// its block.
///
/// It may be what its owner is about to confirm or to give up. The caller has therefore seen it at this revision long
/// enough before; see ``RepairHandle/patience``. The block is counted up, which stops whoever is still at work.
public struct ConfirmAffinity: Operation {
  private let owner: BlockOwner
  private let cidr: CIDR
  private let revision: Revision?
  private var outcome: RepairOutcome?

  /// The operation.
  ///
  /// - Parameters:
  ///   - owner: whose affinity.
  ///   - cidr: to which block.
  ///   - revision: the revision at which it was seen; nil when it was missing.
  public init(_ owner: BlockOwner, _ cidr: CIDR, at revision: Revision?) {
    self.owner = owner
    self.cidr = cidr
    self.revision = revision
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<RepairOutcome> {
    if let outcome { return .done(outcome) }
    // The affinity is read before the block, so that whoever changes both is met at one of them.
    let found = try planner.affinity(owner, cidr)
    guard (found?.base ?? .absent) == revision.map({ .revision($0) }) ?? .absent else { return .done(.changed) }
    guard let (block, base) = try planner.block(cidr), block.affinity == owner.description else {
      return .done(.changed)
    }
    if let state = found?.affinity.state, state == .confirmed || state == .unstated { return .done(.sound) }
    var draft = Draft()
    draft.blocks[cidr] = Draft.WorkingBlock(base: base, block: block)
    draft.confirm(
      cidr, for: owner, affinity: found?.affinity ?? BlockAffinity(.pending), base: found?.base ?? .absent)
    return .commit(draft)
  }

  public mutating func settle(_ settlement: Settlement) {
    outcome = settlement.isComplete ? .repaired : .changed
  }
}
