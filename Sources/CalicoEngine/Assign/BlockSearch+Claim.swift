import CalicoModel
import Datastore
import IPAddressing

// Blocks that nobody has yet, and blocks that their owners do not need (Calico IPAM specification, section 3.6).

extension BlockSearch {
  /// What a search for a new block found.
  enum NewBlock {
    /// The draft claims this block.
    case claimed(CIDR)
    /// A block can be claimed once this is committed.
    case reclaims(Draft)
    /// Every block of every pool has an owner that needs it.
    case none
  }

  /// How many blocks of a pool are looked up one by one, before the keys of all blocks are listed.
  private static var probes: Int { 4 }

  /// An empty block is left to its owner for so long, in seconds (section 0.2).
  private static var minimumAge: Int64 { 60 }

  mutating func newBlock(
    _ scope: SearchScope, _ own: OwnBlocks, _ memory: FamilyMemory, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) -> NewBlock {
    if memory.isExhausted {
      planner.note(.remembersFullPools(scope.wanted.family))
      return .none
    }
    for pool in scope.choice.usable {
      if let cidr = try absentBlock(of: pool, scope, own, &planner, draft) {
        let affinity = try planner.affinity(scope.owner, cidr)
        let block = planner.newBlock(cidr, of: scope.owner, since: scope.request.time, scope.wanted.reservation)
        planner.note(cidr, .claims(pool: pool.name), block, scope)
        draft.claim(block, for: scope.owner, affinity: affinity?.base ?? .absent)
        noteClaim(of: cidr)
        // All others were full, or were not looked at because there are too many.
        room = room ?? cidr
        return .claimed(cidr)
      }
      planner.note(.everyBlockExists(ConsideredPool(pool, for: scope.wanted.family)))
    }
    return try ownerlessBlock(scope, own, &planner, &draft)
  }

  /// The first block of a pool, in the host's order, that does not exist.
  private mutating func absentBlock(
    of pool: IPPool, _ scope: SearchScope, _ own: OwnBlocks, _ planner: inout Planner, _ draft: Draft
  ) throws(Halt) -> CIDR? {
    guard let order = scope.order(of: pool) else { return nil }
    let all = SearchScope.allBlocks(scope.wanted.family)
    let existing = planner.isKnown(.list(all)) ? try planner.keys(all) : nil
    var walk = BlockWalk(order)
    var probed = 0
    while let cidr = walk.next(skipping: scope.reserved) {
      if draft.blocks[cidr] != nil || own.contains(cidr) { continue }
      let affinity = Read.entry(.affinity(scope.owner, cidr))
      if let existing {
        if existing.contains(cidr) { continue }
        try planner.require([affinity])
        return cidr
      }
      guard probed < Self.probes else { throw .read([.list(all)]) }
      try planner.require(probe(walk, cidr, count: Self.probes - probed, scope, own, draft))
      if try planner.entry(.block(cidr)) == nil { return cidr }
      probed += 1
    }
    return nil
  }

  /// The look-ups of a block and of those that come next.
  private func probe(
    _ walk: BlockWalk, _ first: CIDR, count: Int, _ scope: SearchScope, _ own: OwnBlocks, _ draft: Draft
  ) -> [Read] {
    var walk = walk
    var next: CIDR? = first
    var reads: [Read] = []
    while let cidr = next, reads.count < 2 * count {
      if draft.blocks[cidr] == nil, !own.contains(cidr) {
        // An affinity that the list of the node's does not name is known to be missing, and not read again.
        reads += [.entry(.block(cidr)), .entry(.affinity(scope.owner, cidr))]
      }
      next = walk.next(skipping: scope.reserved)
    }
    return reads
  }

  // MARK: - Blocks that exist

  /// A block that names the node although the node has no affinity for it, or one that is empty and can be reclaimed.
  private mutating func ownerlessBlock(
    _ scope: SearchScope, _ own: OwnBlocks, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) -> NewBlock {
    let existing = try existingBlocks(scope, own, &planner)
    try glance(at: existing, scope, &planner)
    for cidr in existing {
      guard let glance = glances[cidr], glance.room > 0, draft.blocks[cidr] == nil else { continue }
      if glance.affinity == scope.owner.description {
        if try adopt(cidr, scope, &planner, &draft) { return .claimed(cidr) }
      }
    }
    for cidr in existing {
      guard let glance = glances[cidr], glance.room > 0, glance.isEmpty, draft.blocks[cidr] == nil,
        glance.affinity != scope.owner.description, !contested.contains(cidr)
      else { continue }
      let claimed = glance.claimTime ?? Timestamp(seconds: 0)
      guard claimed.advanced(bySeconds: Self.minimumAge) <= scope.request.time else {
        planner.note(cidr, .tooYoung(claimed: glance.claimTime), nil, scope)
        continue
      }
      if let reclaim = try reclaim(cidr, scope, &planner) {
        planner.note(cidr, .reclaims, nil, scope)
        glances[cidr] = nil
        reclaimed = cidr
        return .reclaims(reclaim)
      }
      planner.note(cidr, .unreclaimable, nil, scope)
    }
    return .none
  }

  /// All blocks of the usable pools but the node's own, in the order of pools and then of the host's search.
  private func existingBlocks(
    _ scope: SearchScope, _ own: OwnBlocks, _ planner: inout Planner
  ) throws(Halt) -> [CIDR] {
    let all = try planner.list(SearchScope.allBlocks(scope.wanted.family))
    var existing: [CIDR] = []
    for pool in scope.choice.usable {
      guard let order = scope.order(of: pool) else { continue }
      var places: [(distance: UInt128, cidr: CIDR)] = []
      for item in all.items {
        guard case .block(let cidr) = item.key, let distance = order.distance(to: cidr), !isOwn(cidr, own),
          !scope.reserved.covers(cidr)
        else { continue }
        places.append((distance, cidr))
      }
      existing += places.sorted { $0.distance < $1.distance }.map(\.cidr)
    }
    return existing
  }

  /// The most blocks that a glance reads together, and how many bytes they should not exceed: where a read is a round
  /// trip to another machine there should be few of them, and their answers must not fill the memory of a process that
  /// is allowed little. Servers that are asked for many entries at once take some 128 of them.
  private static var glanceBatch: Int { 120 }
  private static var glanceBytes: Int { 1 << 20 }

  /// How many blocks to read together when none is larger than those that were seen. Before any was, few.
  private var glanceLimit: Int {
    guard largestGlance > 0 else { return 2 * Self.batch }
    return max(2 * Self.batch, min(Self.glanceBatch, Self.glanceBytes / largestGlance))
  }

  /// Reads blocks in batches, and keeps of each only what the search needs.
  private mutating func glance(at cidrs: [CIDR], _ scope: SearchScope, _ planner: inout Planner) throws(Halt) {
    var unread: [Read] = []
    for cidr in cidrs where glances[cidr] == nil {
      let read = Read.entry(.block(cidr))
      guard planner.isKnown(read) else {
        unread.append(read)
        if unread.count >= glanceLimit { break }
        continue
      }
      largestGlance = max(largestGlance, try planner.entry(.block(cidr))?.bytes.count ?? 0)
      glances[cidr] = try self.glance(at: cidr, scope, &planner)
      planner.drop(cidr)
    }
    if !unread.isEmpty { throw .read(unread) }
  }

  private func glance(at cidr: CIDR, _ scope: SearchScope, _ planner: inout Planner) throws(Halt) -> Glance {
    guard let stored = try planner.entry(.block(cidr)) else { return Glance(room: 0, isEmpty: false) }
    if BlockGlance.isFull(stored.bytes) {
      // Nothing in it matters but to whoever asks why.
      if planner.isTraced { planner.note(cidr, .others, try? stored.block(cidr), scope) }
      return Glance(room: 0, isEmpty: false)
    }
    guard var (block, _) = try planner.block(cidr) else { return Glance(room: 0, isEmpty: false) }
    _ = block.collect(time: scope.request.time, cooldown: scope.configuration.cooldownSeconds)
    planner.note(cidr, .others, block, scope)
    return Glance(
      room: scope.room(in: block), isEmpty: block.isEmpty, affinity: block.affinity, claimTime: block.affinityClaimTime)
  }

  /// Makes the affinity that a block of the node lacks (section 6.2, W14).
  private mutating func adopt(
    _ cidr: CIDR, _ scope: SearchScope, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) -> Bool {
    try planner.require([.entry(.block(cidr)), .entry(.affinity(scope.owner, cidr))])
    let block = try planner.workingBlock(
      cidr, in: &draft, time: scope.request.time, cooldown: scope.configuration.cooldownSeconds)
    guard let block, block.affinity == scope.owner.description, scope.room(in: block) > 0 else {
      draft.blocks[cidr] = nil
      return false
    }
    let stored = try planner.affinity(scope.owner, cidr)
    planner.note(cidr, .adopts, block, scope)
    draft.confirm(
      cidr, for: scope.owner, affinity: stored?.affinity ?? BlockAffinity(.pending), base: stored?.base ?? .absent)
    noteClaim(of: cidr)
    return true
  }

  /// Takes an empty block from its owner, or removes one that nobody owns (section 3.6 step 4; 8.3, D6).
  ///
  /// - Returns: what to commit; nil when the block has to be left alone.
  private func reclaim(_ cidr: CIDR, _ scope: SearchScope, _ planner: inout Planner) throws(Halt) -> Draft? {
    try planner.require([.entry(.block(cidr))])
    var draft = Draft()
    let block = try planner.workingBlock(
      cidr, in: &draft, time: scope.request.time, cooldown: scope.configuration.cooldownSeconds)
    guard let block, block.isEmpty else { return nil }
    guard let affinity = block.affinity else {
      draft.blocks[cidr]?.isDeleted = true
      return draft
    }
    guard let owner = BlockOwner(affinity), let (stored, base) = try planner.affinity(owner, cidr) else { return nil }
    draft.giveUp(cidr, of: owner, affinity: stored, base: base)
    return draft
  }

  // MARK: - Borrowing

  /// The next block of another owner that has room, as a working block of the draft (section 3.7 step 6).
  mutating func blockToBorrowFrom(
    _ own: OwnBlocks, _ scope: SearchScope, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) -> CIDR? {
    for cidr in try existingBlocks(scope, own, &planner) {
      guard let glance = glances[cidr], glance.room > 0 else { continue }
      if let working = draft.blocks[cidr] {
        if !working.isDeleted, scope.room(in: working.block) > 0 { return cidr }
        continue
      }
      let block = try planner.workingBlock(
        cidr, in: &draft, time: scope.request.time, cooldown: scope.configuration.cooldownSeconds)
      if let block, scope.room(in: block) > 0 { return cidr }
      draft.blocks[cidr] = nil
      discard(cidr)
    }
    return nil
  }
}

extension SearchScope {
  /// The keys of all blocks of a family.
  static func allBlocks(_ family: AddressFamily) -> Listing { Listing(.blocks(family), .keys) }

  /// In which order a pool's blocks are tried; nil when it is smaller than one.
  func order(of pool: IPPool) -> BlockOrder? {
    pool.cidr.flatMap { BlockOrder(pool: $0, prefixLength: pool.blockSize, start: request.start) }
  }
}
