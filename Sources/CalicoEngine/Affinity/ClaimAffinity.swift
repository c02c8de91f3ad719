public import CalicoModel
import Datastore
public import IPAddressing

/// Claims every block of a network for an owner (Calico IPAM specification, section 3.14).
public struct ClaimAffinity: Operation {
  /// What was claimed.
  public struct Result: Hashable, Sendable {
    /// The blocks that are the owner's now, or were before.
    public var claimed: [CIDR] = []
    /// The blocks that belong to somebody else.
    public var failed: [CIDR] = []
  }

  /// How many blocks one commit claims at most.
  private static var blocksPerCommit: Int { 16 }

  private let network: CIDR
  private let owner: BlockOwner
  private let time: Timestamp
  private var pending: [CIDR]?
  private var planned: [CIDR] = []
  private var result = Result()

  /// The operation.
  ///
  /// - Parameters:
  ///   - network: a network inside an enabled pool, of one block or more.
  ///   - owner: who is to have it.
  ///   - time: now.
  public init(_ network: CIDR, for owner: BlockOwner, time: Timestamp) {
    self.network = network.canonical
    self.owner = owner
    self.time = time
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<Result> {
    if pending == nil { pending = try planner.blocks(of: network) }
    let batch = Array((pending ?? []).prefix(Self.blocksPerCommit))
    guard !batch.isEmpty else { return .done(result) }
    try planner.require(batch.flatMap { [.entry(.affinity(owner, $0)), .entry(.block($0))] })
    var draft = Draft()
    planned = []
    for cidr in batch {
      try claim(cidr, &planner, &draft)
    }
    return draft.isEmpty ? try plan(&planner) : .commit(draft)
  }

  private mutating func claim(_ cidr: CIDR, _ planner: inout Planner, _ draft: inout Draft) throws(Halt) {
    let affinity = try planner.affinity(owner, cidr)
    guard let (block, base) = try planner.block(cidr) else {
      draft.claim(planner.newBlock(cidr, of: owner, since: time), for: owner, affinity: affinity?.base ?? .absent)
      planned.append(cidr)
      return
    }
    guard block.affinity == owner.description else {
      // A claim of our own that lost against somebody else goes.
      if let affinity { draft.deleteStale(owner, cidr, base: affinity.base) }
      finish(cidr, isClaimed: false)
      return
    }
    if affinity?.affinity.state == .confirmed { return finish(cidr, isClaimed: true) }
    draft.blocks[cidr] = Draft.WorkingBlock(base: base, block: block)
    var (pending, confirmed) = (BlockAffinity(.pending), BlockAffinity(.confirmed))
    if let affinity {
      pending = affinity.affinity
      pending.state = .pending
      confirmed = affinity.affinity
      confirmed.state = .confirmed
    }
    draft.affinities[.affinity(owner, cidr)] = Draft.WorkingAffinity(
      base: affinity?.base ?? .absent, staged: pending, final: confirmed)
    planned.append(cidr)
  }

  public mutating func settle(_ settlement: Settlement) {
    for cidr in planned where settlement.applied.contains(.affinity(owner, cidr)) {
      finish(cidr, isClaimed: true)
    }
    planned = []
  }

  private mutating func finish(_ cidr: CIDR, isClaimed: Bool) {
    pending?.removeAll { $0 == cidr }
    if isClaimed { result.claimed.append(cidr) } else { result.failed.append(cidr) }
  }
}
