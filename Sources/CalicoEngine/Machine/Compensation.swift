import CalicoModel
import Datastore

/// Takes back what commits left that ended half way: counts of handles for which no address was got, and claims of
/// blocks that were announced and have become nothing (Calico IPAM specification, section 3.2).
struct Compensation: Sendable {
  var planner = Planner()
  var surpluses: [HandleCount]
  var claims: [AnnouncedClaims.Claim]
  var attempts = 0

  init(surpluses: [HandleCount], claims: [AnnouncedClaims.Claim]) {
    self.surpluses = surpluses
    self.claims = claims
  }

  mutating func plan() throws(Halt) -> Plan {
    try planner.require(
      claims.map { .entry(.block($0.block)) } + Set(surpluses.map(\.handleID)).sorted().map { .entry(.handle($0)) })
    var draft = Draft()
    for claim in claims where try isVoid(claim) {
      draft.deleteStale(claim.owner, claim.block, base: .revision(claim.revision))
    }
    for surplus in surpluses {
      try planner.countOut(surplus.count, of: surplus.block, from: surplus.handleID, in: &draft)
    }
    return draft.plan
  }

  /// Whether the block belongs to somebody else, or is not there. One that cannot be read may be the claimant's.
  private func isVoid(_ claim: AnnouncedClaims.Claim) throws(Halt) -> Bool {
    guard let stored = try planner.entry(.block(claim.block)) else { return true }
    guard let block = try? stored.block(claim.block) else { return false }
    return block.affinity != claim.owner.description
  }

  /// Plans again after a conflict. A claim that has changed is somebody else's by now.
  mutating func retry(after writes: [Write], conflict: Key) {
    attempts += 1
    let written = Set(writes.map(\.key))
    surpluses.removeAll { written.contains(.handle($0.handleID)) }
    claims.removeAll { claim in
      let key = Key.affinity(claim.owner, claim.block)
      return key == conflict || written.contains(key)
    }
    planner = Planner()
  }
}
