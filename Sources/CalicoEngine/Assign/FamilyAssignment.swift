import CalicoModel
import Datastore
import IPAddressing

/// The part of an ``AutoAssign`` that is about one family.
struct FamilyAssignment: Sendable {
  /// Addresses that a draft takes from a block.
  struct Taken: Sendable {
    var block: CIDR
    var ordinals: [Int]
    var sequenceNumber: UInt64
  }

  /// How far planning came.
  enum Progress {
    /// All that can be had is in the draft.
    case finished
    /// The draft is large enough; there may be more.
    case unfinished
    /// This has to be committed before anything else can be planned.
    case commitFirst(Draft)
  }

  let wanted: AutoAssignRequest.Family
  let poolRequest: PoolRequest
  private(set) var acquired: [AcquiredAddress] = []
  /// What the draft at hand takes.
  private var planned: [Taken] = []
  /// Whether the draft at hand holds what the last plan found.
  private var isInDraft = false
  /// What a commit took of which nobody knows whether it was made.
  private var doubtful: [Taken] = []
  /// What was found out about blocks that are of no use now, so that they are not read twice.
  var search = BlockSearch()
  var messages: [String] = []
  private(set) var error: EngineError?
  /// Whether pools were found, so that there is a result even without addresses.
  private(set) var hasResult = false
  /// Whether nothing more can be had.
  private(set) var isFinished = false
  /// What is put in order whether or not there are addresses.
  private(set) var housekeeping = Draft()
  /// Whether that was done.
  var isTidy = false
  private(set) var memory: FamilyMemory
  private(set) var isWithheld = false
  private let attribute: AllocationAttribute

  init(_ wanted: AutoAssignRequest.Family, of request: AutoAssignRequest) {
    self.wanted = wanted
    memory = wanted.memory
    attribute = AllocationAttribute(handleID: request.handleID, owner: request.attributes)
    poolRequest = PoolRequest(
      family: wanted.family, requested: wanted.pools, use: request.use, owner: request.owner,
      namespaceLabels: request.namespaceLabels, reservation: wanted.reservation)
  }

  /// The affinities of a node, as many as a node usually has at most. A node with more finds its place by memory.
  static func ownAffinities(_ owner: BlockOwner, _ family: AddressFamily) -> Listing {
    Listing(.affinities(owner, family), limit: usualAffinities)
  }

  static let usualAffinities = 64
  /// How many blocks one commit writes at most.
  static let blocksPerCommit = 16

  /// How many addresses are still to be found, besides those in the draft.
  var missing: Int { wanted.count - acquired.count - planned.reduce(0) { $0 + $1.ordinals.count } }

  /// Whether it has yet to be found out what a commit did.
  var isInDoubt: Bool { !doubtful.isEmpty }

  /// Whether there are fewer than wanted, and no more to be had.
  var isShort: Bool { missing > 0 }

  var result: FamilyResult? {
    guard hasResult else { return nil }
    return FamilyResult(
      family: wanted.family, requested: wanted.count, addresses: acquired, messages: messages,
      isWithheld: isWithheld, reservationHandleID: wanted.reservation?.handleID)
  }

  /// Leaves the addresses of the draft where they are.
  mutating func withhold() {
    isWithheld = !isShort
    abandonDraft()
  }

  // MARK: - Planning

  mutating func plan(
    _ request: AutoAssignRequest, _ attribute: AllocationAttribute, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) -> Progress {
    // Planned again, it must come to the same: nothing that the last plan found out may be left.
    abandonDraft()
    isWithheld = false
    messages = []
    error = nil
    housekeeping = Draft()
    memory = wanted.memory
    do throws(Halt) {
      let progress = try find(request, &planner, &draft)
      isInDraft = true
      return progress
    } catch {
      // What must be read is read first; any other failure leaves what the draft holds so far.
      guard case .failed(let failure) = error else { throw error }
      self.error = failure
      isInDraft = true
      return .finished
    }
  }

  /// Forgets what the last plan took, because something else is committed; why it took no more is kept.
  mutating func abandonDraft() {
    planned = []
    isInDraft = false
  }

  private mutating func find(
    _ request: AutoAssignRequest, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) -> Progress {
    let configuration = try planner.configuration()
    let reserved = try planner.reservedAddresses()
    let choice = try planner.choosePools(poolRequest)
    hasResult = true
    if missing > 0, try reuse(request, &planner) { return .finished }
    var scope = SearchScope(
      request: request, wanted: wanted, configuration: configuration, reserved: reserved, choice: choice,
      owner: poolRequest.owner)
    if memory.isExhausted, memory.circumstances != scope.circumstances {
      memory.isExhausted = false
      scope.wanted.memory.isExhausted = false
    }
    let own = try search.ownBlocks(scope, &planner, &housekeeping)
    if !isTidy { draft.merge(housekeeping) }
    try search.finishClaims(own, scope, &planner, &draft)
    var owned = own.count
    while missing > 0 {
      guard draft.writtenBlocks < Self.blocksPerCommit else { return .unfinished }
      let mayClaim = owned < scope.blockLimit && configuration.autoAllocateBlocks
      let trustsMemory = memory.isExhausted || own.isLarge && mayClaim
      if let cidr = try search.nextOwnBlock(own, trustsMemory: trustsMemory, scope, &planner, &draft) {
        try take(from: cidr, .own, scope, &planner, &draft)
        continue
      }
      planner.note(
        .blockLimit(
          BlockLimit(
            family: wanted.family, owned: owned, limit: scope.blockLimit,
            isConfigured: configuration.maxBlocksPerHost == scope.blockLimit)))
      guard owned < scope.blockLimit else {
        let limit = scope.blockLimit
        messages.append("Need to allocate an IPAM block but could not - limit of \(limit) blocks reached for this node")
        throw .failed(.blockLimit(limit, scope))
      }
      guard configuration.autoAllocateBlocks else {
        planner.note(.claimsAreOff(wanted.family))
        throw .failed(
          EngineError(
            .noQualifiedPool, "failed to find or claim a block",
            advice: "new blocks are not claimed because autoAllocateBlocks is false"))
      }
      switch try search.newBlock(scope, own, memory, &planner, &draft) {
      case .claimed(let cidr):
        owned += 1
        try take(from: cidr, .new, scope, &planner, &draft)
        continue
      case .reclaims(let reclaim): return .commitFirst(reclaim)
      case .none: break
      }
      if trustsMemory, !memory.isExhausted,
        let cidr = try search.nextOwnBlock(own, trustsMemory: false, scope, &planner, &draft)
      {
        try take(from: cidr, .own, scope, &planner, &draft)
        continue
      }
      if configuration.strictAffinity {
        planner.note(.borrowingIsOff(wanted.family))
        messages.append("No more free affine blocks and strict affinity enabled")
      } else {
        try borrow(own, scope, &planner, &draft)
      }
      memory.isExhausted = missing > 0
      memory.circumstances = memory.isExhausted ? scope.circumstances : 0
      break
    }
    memory.room = search.room ?? own.items.last?.cidr ?? memory.room
    memory.isRoomFull = memory.room.map { isFull($0, scope, draft) } ?? false
    return .finished
  }

  /// Whether nothing is left of a block, as far as is known.
  private func isFull(_ cidr: CIDR, _ scope: SearchScope, _ draft: Draft) -> Bool {
    draft.blocks[cidr].map { scope.room(in: $0.block) == 0 } ?? true
  }

  private mutating func borrow(
    _ own: OwnBlocks, _ scope: SearchScope, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) {
    while missing > 0, !memory.isExhausted, let cidr = try search.blockToBorrowFrom(own, scope, &planner, &draft) {
      let owner = draft.blocks[cidr]?.block.affinity
      try take(from: cidr, .borrowed(owner: owner), scope, &planner, &draft)
    }
    guard missing > 0 else { return }
    let pools = scope.choice.usable.map(\.writtenCIDR).joined(separator: " ")
    messages.append("No IPs available in pools: [\(pools)]")
  }

  /// Takes as many addresses of a working block as are still missing.
  private mutating func take(
    from cidr: CIDR, _ source: AddressSource, _ scope: SearchScope, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) {
    guard var block = draft.blocks[cidr]?.block else { return }
    let number = block.sequenceNumber
    let ordinals = block.assign(missing, attribute: attribute) { scope.reserved.contains($0) }
    guard !ordinals.isEmpty else { return search.discard(cidr) }
    draft.update(block)
    if let handleID = scope.request.handleID {
      try planner.count(ordinals.count, of: cidr, into: handleID, in: &draft)
    }
    planner.note(.gives(ordinals.map { block.address(at: $0) }, of: cidr, source))
    planned.append(Taken(block: cidr, ordinals: ordinals, sequenceNumber: number))
  }

  /// Gives a handle that has as many addresses as it may have those addresses again (section 3.7 step 7).
  private mutating func reuse(_ request: AutoAssignRequest, _ planner: inout Planner) throws(Halt) -> Bool {
    guard let handleID = request.handleID, request.maxPerHandle > 0,
      let handle = try planner.settledHandle(handleID)
    else { return false }
    let count = handle.count(wanted.family)
    guard count + missing > request.maxPerHandle else { return false }
    planner.note(.handleIsFull(handleID, wanted.family, count: count, limit: request.maxPerHandle))
    let blocks = handle.counts.keys.filter { $0.address.family == wanted.family }.sorted { $0.address < $1.address }
    try planner.require(blocks.map { .entry(.block($0)) })
    var found: [AcquiredAddress] = []
    for cidr in blocks {
      guard let (block, _) = try planner.block(cidr) else { continue }
      for ordinal in block.ordinals(ofHandle: handleID) {
        found.append(
          AcquiredAddress(
            address: CIDR(host: block.address(at: ordinal)), block: cidr,
            sequenceNumber: block.allocationNumbers[ordinal] ?? 0, isReused: true))
      }
    }
    guard found.count >= wanted.count else {
      throw .failed(
        EngineError(
          .contention,
          "handle \(handleID) has \(found.count) IPs allocated but requires \(wanted.count) "
            + "(concurrent operation in progress)",
          advice: "another operation may be about to finish; if it is not, `ipamctl ipam gc` corrects the handle"))
    }
    // What this operation assigned itself comes first: nobody else will report it.
    let own = acquired.filter { own in
      found.contains { $0.address.address == own.address.address && $0.sequenceNumber == own.sequenceNumber }
    }
    let others = found.filter { other in !own.contains { $0.address.address == other.address.address } }
    acquired = Array((own + others).prefix(wanted.count))
    for address in acquired where address.isReused {
      planner.note(.gives([address.address.address], of: address.block, .reused))
    }
    return true
  }

  // MARK: - Settling

  mutating func settle(_ settlement: Settlement) {
    search.settle(settlement)
    for taken in planned {
      if settlement.applied.contains(.block(taken.block)) {
        acquired += addresses(of: taken)
      } else if settlement.isInDoubt {
        doubtful.append(taken)
      }
    }
    planned = []
    guard isInDraft else { return }
    isInDraft = false
    if settlement.isComplete {
      isFinished = error != nil || missing <= 0 || !messages.isEmpty
      isTidy = true
    } else {
      search.room = nil
    }
  }

  /// Looks whether a commit whose answer was lost was made: an ordinal with the number and the attribute that this
  /// operation gave it is its own, because of several commits on one revision only one succeeds.
  mutating func settleDoubts(planner: inout Planner) throws(Halt) {
    try planner.require(doubtful.map { .entry(.block($0.block)) })
    for taken in doubtful {
      guard let (block, _) = try planner.block(taken.block) else { continue }
      // One by one: somebody may have given some of them back meanwhile, and the others are this operation's still.
      var ours = taken
      ours.ordinals = taken.ordinals.filter {
        block.allocationNumbers[$0] == taken.sequenceNumber && block.attribute(at: $0) == attribute
      }
      acquired += addresses(of: ours)
    }
    doubtful = []
  }

  private func addresses(of taken: Taken) -> [AcquiredAddress] {
    taken.ordinals.compactMap { ordinal in
      guard let address = taken.block.address.advanced(by: UInt128(ordinal)),
        let written = CIDR(address, prefixLength: taken.block.prefixLength)
      else { return nil }
      return AcquiredAddress(address: written, block: taken.block, sequenceNumber: taken.sequenceNumber)
    }
  }
}

extension EngineError {
  /// The node has as many blocks as it may have.
  static func blockLimit(_ limit: Int, _ scope: SearchScope) -> EngineError {
    EngineError(
      .blockLimit, "cannot allocate new block due to per host block limit",
      advice: "node \(scope.owner.name) has its \(limit) blocks, all full: release addresses, or raise maxBlocksPerHost"
    )
  }
}
