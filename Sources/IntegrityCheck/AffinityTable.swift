import CalicoModel
import Datastore
import IPAddressing

/// Who claims which block.
struct AffinityTable {
  /// A claim that does not fit its block, or may be one that nobody finishes.
  struct Suspect: Hashable {
    var owner: BlockOwner
    var cidr: CIDR
    /// The mark of its revision; nil when it is missing.
    var mark: UInt64?
  }

  private struct Claim {
    var isConfirmed: Bool
    var mark: UInt64
  }

  private struct Place: Hashable {
    var owner: BlockOwner
    var cidr: CIDR
  }

  private var claims: [Place: Claim] = [:]

  /// Takes in an affinity.
  mutating func add(_ owner: BlockOwner, _ cidr: CIDR, _ affinity: BlockAffinity, _ revision: Revision) {
    let isConfirmed = affinity.state == .confirmed || affinity.state == .unstated
    claims[Place(owner: owner, cidr: cidr)] = Claim(isConfirmed: isConfirmed, mark: revision.mark)
  }

  /// The claims that are not confirmed or not of a block that is their owner's, and those that are missing.
  func suspects(_ table: AllocationTable, unreadable: Set<CIDR>) -> [Suspect] {
    var open = claims
    var suspects: [Suspect] = []
    for block in table.blocks {
      guard let owner = block.owner.flatMap({ BlockOwner(table.owners[$0]) }) else { continue }
      let claim = open.removeValue(forKey: Place(owner: owner, cidr: block.cidr))
      if let claim, claim.isConfirmed { continue }
      suspects.append(Suspect(owner: owner, cidr: block.cidr, mark: claim?.mark))
    }
    for (place, claim) in open where !unreadable.contains(place.cidr) {
      suspects.append(Suspect(owner: place.owner, cidr: place.cidr, mark: claim.mark))
    }
    return suspects.sorted {
      ($0.cidr.address, $0.cidr.prefixLength, $0.owner.description)
        < ($1.cidr.address, $1.cidr.prefixLength, $1.owner.description)
    }
  }
}
