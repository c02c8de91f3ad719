import CalicoModel
import Datastore
import IPAddressing

/// The claims that an operation has announced on a store without transactions, and neither confirmed nor taken back:
/// pending affinities, by the revisions that it wrote.
///
/// A claim whose fate an answer did not tell is none of them, whatever becomes of it: its block may be there by now, or
/// may still be made. Nor is one that another process had announced before.
struct AnnouncedClaims: Sendable {
  struct Claim: Hashable, Sendable {
    var owner: BlockOwner
    var block: CIDR
    var revision: Revision
  }

  private var revisions: [Key: Revision] = [:]
  private var doubtful: Set<Key> = []

  /// Takes in what became of a plan.
  mutating func note(_ outcome: Outcome, of plan: Plan) {
    switch outcome {
    case .applied:
      for change in plan.changes { revisions[change.key] = nil }
    case .conflict(_, let writes):
      for write in writes {
        guard let change = plan.changes.first(where: { $0.key == write.key }) else { continue }
        revisions[write.key] = announced(by: write, of: change)
      }
    case .unknown:
      for case .affinity(let owner, let block) in plan.changes.map(\.key) { doubtful.insert(.affinity(owner, block)) }
    }
  }

  /// The revision with which a write has announced a claim that nobody had announced before.
  private func announced(by write: Write, of change: Change) -> Revision? {
    guard write.stage == .staged, case .affinity(let affinity)? = change.staged, affinity.state == .pending else {
      return nil
    }
    let known = revisions[change.key]
    guard change.base == .absent || known.map({ change.base == .revision($0) }) ?? false else { return nil }
    return write.revision
  }

  /// What can be taken back, in the order of the blocks.
  var remaining: [Claim] {
    revisions.compactMap { key, revision in
      guard case .affinity(let owner, let block) = key, !doubtful.contains(key) else { return nil }
      return Claim(owner: owner, block: block, revision: revision)
    }.sorted { $0.block.address < $1.block.address }
  }
}
