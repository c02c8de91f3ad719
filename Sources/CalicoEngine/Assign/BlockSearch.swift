import CalicoModel
import Datastore
import IPAddressing

/// Looks for blocks with room. What it finds out about blocks without is kept while the operation lasts, so that each
/// is read once however often the operation is planned again.
struct BlockSearch: Sendable {
  /// What the search needs to know of a block that it does not keep.
  struct Glance: Sendable {
    var room: Int
    var isEmpty: Bool
    var affinity: String?
    var claimTime: Timestamp?
  }

  /// Own blocks without room.
  private var useless: Set<CIDR> = []
  /// Blocks that the node claimed and another has: they can be borrowed from like any other.
  private var foreign: Set<CIDR> = []
  var glances: [CIDR: Glance] = [:]
  /// The size of the largest block that was glanced at, in bytes.
  var largestGlance = 0
  /// The block that is to be reclaimed by the commit at hand.
  var reclaimed: CIDR?
  /// Blocks that could not be reclaimed; they are left to their owners.
  private(set) var contested: Set<CIDR> = []
  /// The first own block that had room.
  var room: CIDR?

  /// Blocks whose affinity the draft at hand confirms.
  private var claimed: Set<CIDR> = []
  /// Blocks for which a commit ended before that.
  private var unconfirmed: Set<CIDR> = []
  /// Those of them that the commit made.
  private var made: Set<CIDR> = []

  /// How many blocks are read together.
  static let batch = 8

  mutating func discard(_ cidr: CIDR) {
    useless.insert(cidr)
    glances[cidr]?.room = 0
  }

  /// Whether a block is the node's, as far as is known.
  func isOwn(_ cidr: CIDR, _ own: OwnBlocks) -> Bool { own.contains(cidr) && !foreign.contains(cidr) }

  /// Takes in what became of the commit at hand.
  mutating func settle(_ settlement: Settlement) {
    if !settlement.isComplete {
      if let reclaimed { contested.insert(reclaimed) }
      unconfirmed.formUnion(claimed)
      made.formUnion(claimed.filter { settlement.applied.contains(.block($0)) })
    }
    reclaimed = nil
    claimed = []
  }

  // MARK: - Blocks of the node

  /// The node's blocks, and into `housekeeping` what has to be given up because its pool selects the node no longer.
  mutating func ownBlocks(
    _ scope: SearchScope, _ planner: inout Planner, _ housekeeping: inout Draft
  ) throws(Halt) -> OwnBlocks {
    var list = try planner.list(FamilyAssignment.ownAffinities(scope.owner, scope.wanted.family))
    var own = OwnBlocks()
    claimed = []
    if list.hasMore {
      own.isLarge = true
      if let only = try rememberedBlock(scope, &planner) {
        own.items = [only]
        own.believedToHaveRoom = 1
        // Enough to know that the node is no small one: the exact number counts only before a claim.
        own.count = list.items.count
        return own
      }
      list = try planner.list(Listing(.affinities(scope.owner, scope.wanted.family)))
    }
    for item in list.items {
      guard case .affinity(_, let cidr) = item.key, let stored = try planner.affinity(scope.owner, cidr) else {
        continue
      }
      if scope.choice.usablePool(of: cidr) != nil {
        own.items.append(OwnBlocks.Item(cidr: cidr, affinity: stored.affinity, base: stored.base))
      } else if try scope.choice.mustGiveUp(cidr) {
        try giveUp(cidr, stored.affinity, stored.base, scope, &planner, &housekeeping)
      } else {
        planner.note(cidr, .outsidePools, nil, scope)
      }
    }
    own.count = own.items.count
    let first = own.items.firstIndex { $0.cidr == scope.wanted.memory.room } ?? 0
    own.items = Array(own.items[first...] + own.items[..<first])
    own.believedToHaveRoom = own.items.count - first
    return own
  }

  /// The block in which the last operation found room, if it still has some.
  private func rememberedBlock(_ scope: SearchScope, _ planner: inout Planner) throws(Halt) -> OwnBlocks.Item? {
    guard let cidr = scope.wanted.memory.room, scope.choice.usablePool(of: cidr) != nil, !useless.contains(cidr) else {
      return nil
    }
    try planner.require([.entry(.block(cidr)), .entry(.affinity(scope.owner, cidr))])
    guard let (block, _) = try planner.block(cidr), block.affinity == scope.owner.description,
      scope.room(in: block) >= scope.wanted.count || scope.wanted.memory.isExhausted,
      let (affinity, base) = try planner.affinity(scope.owner, cidr)
    else { return nil }
    return OwnBlocks.Item(cidr: cidr, affinity: affinity, base: base)
  }

  private func giveUp(
    _ cidr: CIDR, _ affinity: BlockAffinity, _ base: Base, _ scope: SearchScope, _ planner: inout Planner,
    _ housekeeping: inout Draft
  ) throws(Halt) {
    let block = try planner.workingBlock(
      cidr, in: &housekeeping, time: scope.request.time, cooldown: scope.configuration.cooldownSeconds)
    guard let block else { return planner.note(cidr, .deselected(isGivenUp: false), nil, scope) }
    if let owner = block.affinity, owner != scope.owner.description {
      planner.note(cidr, .claimedInVain(owner: owner), block, scope)
      housekeeping.deleteStale(scope.owner, cidr, base: base)
    } else {
      planner.note(cidr, .deselected(isGivenUp: block.isEmpty), block, scope)
      if block.isEmpty { housekeeping.giveUp(cidr, of: scope.owner, affinity: affinity, base: base) }
    }
  }

  /// The draft confirms the affinity of a block.
  mutating func noteClaim(of cidr: CIDR) {
    claimed.insert(cidr)
  }

  /// Confirms what a commit of this operation left pending: addresses of such a block are not announced by everybody.
  mutating func finishClaims(
    _ own: OwnBlocks, _ scope: SearchScope, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) {
    for item in own.items where unconfirmed.contains(item.cidr) && item.affinity.state != .confirmed {
      try planner.require([.entry(.block(item.cidr))])
      // A claim without a block is none that anybody could be misled by.
      if try planner.block(item.cidr) != nil { _ = try use(item, scope, &planner, &draft) }
    }
    // Another process of the node has taken its claim back, which this one had taken over.
    for cidr in made.sorted(by: { $0.address < $1.address }) where !own.isLarge && !own.contains(cidr) {
      try planner.require([.entry(.block(cidr)), .entry(.affinity(scope.owner, cidr))])
      guard try planner.affinity(scope.owner, cidr) == nil,
        let block = try planner.workingBlock(
          cidr, in: &draft, time: scope.request.time, cooldown: scope.configuration.cooldownSeconds)
      else { continue }
      guard block.affinity == scope.owner.description else {
        draft.blocks[cidr] = nil
        continue
      }
      draft.confirm(cidr, for: scope.owner, affinity: BlockAffinity(.pending), base: .absent)
      noteClaim(of: cidr)
    }
  }

  /// The node's next block with room, as a working block of the draft; nil when there is none. With `trustsMemory`,
  /// blocks that are believed full are left out.
  mutating func nextOwnBlock(
    _ own: OwnBlocks, trustsMemory: Bool, _ scope: SearchScope, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) -> CIDR? {
    let count = trustsMemory ? own.believedToHaveRoom : own.items.count
    for index in 0..<count {
      let item = own.items[index]
      if useless.contains(item.cidr) { continue }
      if scope.reserved.covers(item.cidr) {
        planner.note(item.cidr, .reserved, nil, scope)
        continue
      }
      if let working = draft.blocks[item.cidr] {
        if !working.isDeleted, scope.room(in: working.block) > 0 { return item.cidr }
        continue
      }
      try readAhead(own.items[index..<count].lazy.map(\.cidr), planner)
      if try use(item, scope, &planner, &draft) {
        room = room ?? item.cidr
        return item.cidr
      }
    }
    return nil
  }

  /// Reads a block together with those that come next, unless the first of them is at hand already.
  private func readAhead(_ cidrs: some Sequence<CIDR>, _ planner: Planner) throws(Halt) {
    var reads: [Read] = []
    for cidr in cidrs where !useless.contains(cidr) {
      let read = Read.entry(.block(cidr))
      if planner.isKnown(read) { break }
      reads.append(read)
      if reads.count == Self.batch { break }
    }
    if !reads.isEmpty { throw .read(reads) }
  }

  /// Makes a claimed block a working block, after whatever its affinity needs (specification section 3.2,
  /// getBlockFromAffinity).
  ///
  /// - Returns: whether it has room.
  private mutating func use(
    _ item: OwnBlocks.Item, _ scope: SearchScope, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) -> Bool {
    let block = try planner.workingBlock(
      item.cidr, in: &draft, time: scope.request.time, cooldown: scope.configuration.cooldownSeconds)
    guard let block else {
      // The claim was cut off before the block was made.
      let new = planner.newBlock(item.cidr, of: scope.owner, since: scope.request.time, scope.wanted.reservation)
      guard scope.room(in: new) > 0 else {
        planner.note(item.cidr, .reserved, new, scope)
        return false
      }
      planner.note(item.cidr, .completesClaim, new, scope)
      draft.claim(new, for: scope.owner, affinity: item.base)
      noteClaim(of: item.cidr)
      return true
    }
    guard block.affinity == scope.owner.description else {
      planner.note(item.cidr, .claimedInVain(owner: block.affinity), block, scope)
      draft.blocks[item.cidr] = nil
      draft.deleteStale(scope.owner, item.cidr, base: item.base)
      foreign.insert(item.cidr)
      return false
    }
    foreign.remove(item.cidr)
    switch item.affinity.state {
    case .confirmed, .unstated:
      if scope.room(in: block) > 0 {
        planner.note(item.cidr, .own, block, scope)
        return true
      }
      planner.note(item.cidr, .ownIsFull, block, scope)
      draft.blocks[item.cidr] = nil
      planner.drop(item.cidr)
      discard(item.cidr)
      return false
    case .pending, .pendingDeletion, .other:
      planner.note(item.cidr, .confirms(item.affinity.state), block, scope)
      draft.confirm(item.cidr, for: scope.owner, affinity: item.affinity, base: item.base)
      noteClaim(of: item.cidr)
      return scope.room(in: block) > 0
    }
  }
}
