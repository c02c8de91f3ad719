import CalicoModel
import Datastore
import IPAddressing

extension Planner {
  /// Gives an empty block up when its pool selects the node no longer (Calico IPAM specification, section 3.12).
  ///
  /// Called with a working block that a release has just emptied; for any other block there is nothing to find out.
  mutating func ensureConsistentAffinity(_ cidr: CIDR, in draft: inout Draft) throws(Halt) {
    guard let working = draft.blocks[cidr], !working.isDeleted, working.block.isEmpty,
      let owner = working.block.owner, !owner.name.isEmpty
    else { return }
    try require([
      .entry(.resource(.node, owner.name)), .list(Self.allPools), .entry(.affinity(owner, cidr)),
    ])
    guard let labels = try labels(ofNode: owner.name),
      let pool = try enabledPools(cidr.address.family).first(where: { $0.cidr?.contains(cidr.address) ?? false }),
      try !pool.selects(nodeLabels: labels),
      let (affinity, base) = try affinity(owner, cidr)
    else { return }
    draft.giveUp(cidr, of: owner, affinity: affinity, base: base)
  }
}
