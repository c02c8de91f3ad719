public import CalicoModel
public import Datastore
public import IPAddressing

/// Deletes an affinity to a block that does not exist, or is not its owner's (Calico IPAM specification, section 6.3
/// item 1).
///
/// It may be a claim that its owner is about to finish. The caller has therefore seen it at this revision long enough
/// before; see ``RepairHandle/patience``.
public struct DeleteOrphanAffinity: Operation {
  private let owner: BlockOwner
  private let cidr: CIDR
  private let revision: Revision
  private var outcome: RepairOutcome?

  /// The operation.
  ///
  /// - Parameters:
  ///   - owner: whose affinity.
  ///   - cidr: to which block.
  ///   - revision: the revision at which it was seen.
  public init(_ owner: BlockOwner, _ cidr: CIDR, at revision: Revision) {
    self.owner = owner
    self.cidr = cidr
    self.revision = revision
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<RepairOutcome> {
    if let outcome { return .done(outcome) }
    guard let (_, base) = try planner.affinity(owner, cidr), base == .revision(revision) else {
      return .done(.changed)
    }
    if let (block, _) = try planner.block(cidr), block.affinity == owner.description { return .done(.sound) }
    var draft = Draft()
    draft.deleteStale(owner, cidr, base: base)
    return .commit(draft)
  }

  public mutating func settle(_ settlement: Settlement) {
    outcome = settlement.isComplete ? .repaired : .changed
  }
}
