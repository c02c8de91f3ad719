import CalicoModel
import Datastore
import IPAddressing

extension Planner {
  /// A block to be worked on, what cools down collected; nil when there is none, or the draft deletes it.
  mutating func workingBlock(
    _ cidr: CIDR, in draft: inout Draft, time: Timestamp, cooldown: Int
  ) throws(Halt) -> IPAMBlock? {
    if let working = draft.blocks[cidr] { return working.isDeleted ? nil : working.block }
    guard let (stored, base) = try block(cidr) else { return nil }
    var block = stored
    _ = block.collect(time: time, cooldown: cooldown)
    draft.blocks[cidr] = Draft.WorkingBlock(base: base, block: block)
    return block
  }

  /// Counts addresses of a block into a handle.
  mutating func count(_ count: Int, of cidr: CIDR, into handleID: String, in draft: inout Draft) throws(Halt) {
    var working = try workingHandle(handleID, in: draft) ?? Draft.WorkingHandle(base: .absent, handle: IPAMHandle())
    working.handle.increment(cidr, by: count)
    working.isChanged = true
    draft.handles[handleID] = working
    draft.increments.append(HandleCount(handleID: handleID, block: cidr, count: count))
  }

  /// Counts addresses of a block out of a handle; a handle that is gone or counts fewer is left as it is, because its
  /// entries are an upper bound and never the truth.
  mutating func countOut(_ count: Int, of cidr: CIDR, from handleID: String, in draft: inout Draft) throws(Halt) {
    guard var working = try workingHandle(handleID, in: draft) else { return }
    working.isChanged = working.handle.decrement(cidr, by: count) || working.isChanged
    draft.handles[handleID] = working
    draft.decrements.append(HandleCount(handleID: handleID, block: cidr, count: count))
  }

  /// A handle without what an earlier commit of this operation left in it for no address; nil when there is none.
  func settledHandle(_ handleID: String) throws(Halt) -> IPAMHandle? {
    try workingHandle(handleID, in: Draft())?.handle
  }

  /// A handle to be worked on, without what an earlier commit left in it for no address; nil when there is none.
  private func workingHandle(_ handleID: String, in draft: Draft) throws(Halt) -> Draft.WorkingHandle? {
    if let working = draft.handles[handleID] { return working }
    guard let (stored, base) = try handle(handleID) else { return nil }
    var working = Draft.WorkingHandle(base: base, handle: stored)
    for surplus in surpluses where surplus.handleID == handleID {
      working.isChanged = working.handle.decrement(surplus.block, by: surplus.count) || working.isChanged
    }
    return working
  }
}

extension Draft {
  /// Writes a block's working copy back.
  mutating func update(_ block: IPAMBlock) {
    blocks[block.cidr]?.block = block
    blocks[block.cidr]?.isChanged = true
  }

  /// Claims a block that does not exist: its affinity is pending before the block is there, and confirmed after.
  mutating func claim(_ block: IPAMBlock, for owner: BlockOwner, affinity base: Base) {
    blocks[block.cidr] = WorkingBlock(base: .absent, block: block)
    affinities[.affinity(owner, block.cidr)] = WorkingAffinity(
      base: base, staged: BlockAffinity(.pending), final: BlockAffinity(.confirmed))
  }

  /// Confirms the affinity of a block that exists and names the owner. The block is counted up, which stops whoever is
  /// about to give it up (specification section 3.2, getBlockFromAffinity step 4).
  mutating func confirm(_ cidr: CIDR, for owner: BlockOwner, affinity: BlockAffinity, base: Base) {
    var (pending, confirmed) = (affinity, affinity)
    pending.state = .pending
    confirmed.state = .confirmed
    affinities[.affinity(owner, cidr)] = WorkingAffinity(base: base, staged: pending, final: confirmed)
    blocks[cidr]?.block.sequenceNumber += 1
    blocks[cidr]?.isTouched = true
  }

  /// Deletes an affinity whose block belongs to somebody else, or to nobody.
  mutating func deleteStale(_ owner: BlockOwner, _ cidr: CIDR, base: Base) {
    affinities[.affinity(owner, cidr)] = WorkingAffinity(base: base, staged: nil, final: nil)
  }

  /// Gives a block up: the affinity is demoted first, then the block is deleted when it is empty and belongs to nobody
  /// otherwise, and at last the affinity goes (specification section 3.2, releaseBlockAffinity).
  mutating func giveUp(_ cidr: CIDR, of owner: BlockOwner, affinity: BlockAffinity, base: Base) {
    var demoted = affinity
    demoted.state = .pendingDeletion
    affinities[.affinity(owner, cidr)] = WorkingAffinity(base: base, staged: demoted, final: nil)
    guard let working = blocks[cidr] else { return }
    if working.block.isEmpty {
      blocks[cidr]?.isDeleted = true
    } else {
      blocks[cidr]?.block.affinity = nil
      blocks[cidr]?.block.affinityClaimTime = nil
      blocks[cidr]?.isChanged = true
    }
  }
}
