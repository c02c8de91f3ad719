public import CalicoModel
public import Datastore
public import IPAddressing

/// Sets right what contradicts itself in one block, in one write of it (Calico IPAM specification, section 8.4).
///
/// A block is written as a whole, so that what is wrong in it is nobody's work in progress: it need not be seen twice.
public struct MendBlock: Operation {
  private let cidr: CIDR
  private let revision: Revision
  private let time: Timestamp
  private var outcome: RepairOutcome?

  /// The operation.
  ///
  /// - Parameters:
  ///   - cidr: the block.
  ///   - revision: the revision at which it was seen.
  ///   - time: now.
  public init(_ cidr: CIDR, at revision: Revision, time: Timestamp) {
    self.cidr = cidr
    self.revision = revision
    self.time = time
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<RepairOutcome> {
    if let outcome { return .done(outcome) }
    guard let stored = try planner.entry(.block(cidr)), stored.revision == revision else { return .done(.changed) }
    let found: (block: IPAMBlock, mendings: [BlockMending])
    do throws(ModelError) {
      found = try IPAMBlock.mended(decoding: stored.bytes, expected: cidr, at: time)
    } catch {
      throw .failed(.unreadable(.block(cidr), error))
    }
    if found.mendings.isEmpty { return .done(.sound) }
    var draft = Draft()
    draft.blocks[cidr] = Draft.WorkingBlock(base: .revision(revision), block: found.block, isChanged: true)
    return .commit(draft)
  }

  public mutating func settle(_ settlement: Settlement) {
    outcome = settlement.isComplete ? .repaired : .changed
  }
}
