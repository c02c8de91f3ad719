public import CalicoModel
public import Datastore
public import IPAddressing

/// Gives back addresses of a block of whose owner nothing is recorded: neither a handle nor an attribute (Calico IPAM
/// specification, section 8.4).
///
/// Such an address may be in use. The caller therefore knows everybody who could use it, and has seen the block at this
/// revision for ``patience`` seconds.
public struct CoolUnownedAddresses: Operation {
  /// How long the block must have been seen unchanged, in seconds: longer than any address cools down.
  public static let patience: Int64 = 1200

  private let cidr: CIDR
  private let revision: Revision
  private let addresses: [IPAddress]
  private let time: Timestamp
  private var outcome: RepairOutcome?

  /// The operation.
  ///
  /// - Parameters:
  ///   - cidr: the block.
  ///   - revision: the revision at which it was seen.
  ///   - addresses: those that nobody uses.
  ///   - time: now.
  public init(_ cidr: CIDR, at revision: Revision, addresses: [IPAddress], time: Timestamp) {
    self.cidr = cidr
    self.revision = revision
    self.addresses = addresses
    self.time = time
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<RepairOutcome> {
    if let outcome { return .done(outcome) }
    try planner.require([.entry(.configuration), .entry(.block(cidr))])
    let cooldown = try planner.configuration().cooldownSeconds
    guard let found = try planner.block(cidr), found.base == .revision(revision) else { return .done(.changed) }
    var block = found.block
    let ordinals = addresses.compactMap { block.ordinal(of: $0) }.filter { ordinal in
      block.attribute(at: ordinal)?.isBlank ?? false
    }
    if ordinals.isEmpty { return .done(.sound) }
    block.release(ordinals, time: time, cooldown: cooldown, renumbers: true)
    var draft = Draft()
    draft.blocks[cidr] = Draft.WorkingBlock(
      base: found.base, block: block, isChanged: true, isDeleted: block.isEmpty && block.affinity == nil)
    return .commit(draft)
  }

  public mutating func settle(_ settlement: Settlement) {
    outcome = settlement.isComplete ? .repaired : .changed
  }
}
