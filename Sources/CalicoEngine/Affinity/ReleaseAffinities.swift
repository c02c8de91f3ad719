public import CalicoModel
import Datastore
public import IPAddressing

/// Gives blocks up: their owners' affinities go, empty blocks are deleted, and blocks with addresses in use belong to
/// nobody any more (Calico IPAM specification, sections 3.2 and 3.15). No address is released.
public struct ReleaseAffinities: Operation {
  /// Which blocks.
  public enum Target: Hashable, Sendable {
    /// The blocks of an owner that lie in a network, which must be inside an enabled pool.
    case network(CIDR, BlockOwner)
    /// One block of an owner.
    case block(CIDR, BlockOwner)
    /// All blocks of an owner.
    case owner(BlockOwner)
    /// The blocks of all owners in a pool that is about to be deleted.
    case pool(CIDR)
    /// All blocks of a host that is being removed, and its marker.
    case removedHost(BlockOwner)
  }

  /// How many blocks one commit changes at most.
  private static var blocksPerCommit: Int { 16 }

  private let target: Target
  private let mustBeEmpty: Bool
  private let time: Timestamp
  private var pending: [(cidr: CIDR, owner: BlockOwner)]?
  private var planned: [(cidr: CIDR, owner: BlockOwner)] = []
  private var error: EngineError?
  private var released: [CIDR] = []
  private var isMarkerGone = false

  /// The operation.
  ///
  /// - Parameters:
  ///   - target: which blocks.
  ///   - mustBeEmpty: whether a block with addresses in use is an error, and stays.
  ///   - time: now.
  public init(_ target: Target, mustBeEmpty: Bool, time: Timestamp) {
    self.target = target
    self.mustBeEmpty = mustBeEmpty
    self.time = time
  }

  /// Plans; the result is the blocks that were given up.
  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<[CIDR]> {
    try planner.require([.entry(.configuration)])
    if pending == nil { pending = try targets(&planner) }
    let batch = Array((pending ?? []).prefix(Self.blocksPerCommit))
    try planner.require(
      batch.flatMap { [.entry(.affinity($0.owner, $0.cidr)), .entry(.block($0.cidr))] } + extraReads(batch))
    let cooldown = try planner.configuration().cooldownSeconds
    var draft = Draft()
    planned = []
    for (cidr, owner) in batch {
      // Two claimants of one block are served one after the other.
      if planned.contains(where: { $0.cidr == cidr }) { continue }
      if try giveUp(cidr, owner, cooldown, &planner, &draft) {
        planned.append((cidr, owner))
      } else {
        drop(cidr, owner)
        if error != nil, case .network = target {
          pending = []
          break
        }
      }
    }
    if !draft.isEmpty { return .commit(draft) }
    if !(pending ?? []).isEmpty { return try plan(&planner) }
    if case .removedHost(let owner) = target, !isMarkerGone { return try removeMarker(owner, planner) }
    if let error { throw .failed(error) }
    return .done(released)
  }

  public mutating func settle(_ settlement: Settlement) {
    if planned.isEmpty, settlement.isComplete { isMarkerGone = true }
    for (cidr, owner) in planned where settlement.applied.contains(.affinity(owner, cidr)) {
      drop(cidr, owner)
      released.append(cidr)
    }
    planned = []
  }

  private mutating func drop(_ cidr: CIDR, _ owner: BlockOwner) {
    pending?.removeAll { $0.cidr == cidr && $0.owner == owner }
  }

  /// Plans for one block.
  ///
  /// - Returns: whether anything is to be committed for it.
  private mutating func giveUp(
    _ cidr: CIDR, _ owner: BlockOwner, _ cooldown: Int, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) -> Bool {
    guard let (affinity, base) = try planner.affinity(owner, cidr) else { return false }
    guard let block = try planner.workingBlock(cidr, in: &draft, time: time, cooldown: cooldown) else {
      // A claim that was cut off. Only when its owner is gone can it not be about to go on (section 6.3 item 1).
      guard try isOrphan(affinity, owner, planner) else { return false }
      draft.deleteStale(owner, cidr, base: base)
      return true
    }
    if let holder = block.affinity, holder != owner.description {
      draft.deleteStale(owner, cidr, base: base)
      return true
    }
    guard block.isEmpty || !mustBeEmpty else {
      let failure = EngineError(
        .blockNotEmpty, "block '\(cidr)' is not empty",
        advice: "it still has addresses in use: `ipamctl ipam show --show-blocks` counts them")
      error = failure
      return false
    }
    draft.giveUp(cidr, of: owner, affinity: affinity, base: base)
    return true
  }

  private func isOrphan(_ affinity: BlockAffinity, _ owner: BlockOwner, _ planner: Planner) throws(Halt) -> Bool {
    guard affinity.state == .pending || affinity.state == .pendingDeletion else { return false }
    switch target {
    case .pool, .removedHost: return true
    case .network, .block, .owner:
      return try owner.kind == .host && planner.entry(.resource(.node, owner.name)) == nil
    }
  }

  private func extraReads(_ batch: [(cidr: CIDR, owner: BlockOwner)]) -> [Read] {
    switch target {
    case .pool, .removedHost: []
    case .network, .block, .owner: Set(batch.map(\.owner.name)).sorted().map { .entry(.resource(.node, $0)) }
    }
  }

  // MARK: - Targets

  private func targets(_ planner: inout Planner) throws(Halt) -> [(cidr: CIDR, owner: BlockOwner)] {
    switch target {
    case .network(let network, let owner):
      return try planner.blocks(of: network).map { ($0, owner) }
    case .block(let cidr, let owner): return [(cidr, owner)]
    case .owner(let owner), .removedHost(let owner):
      return try claims(Listing(.affinities(owner, nil)), planner)
    case .pool(let pool):
      let lists = BlockOwner.Kind.allCases.map { Listing(.allAffinities($0)) }
      try planner.require(lists.map { .list($0) })
      var claims: [(cidr: CIDR, owner: BlockOwner)] = []
      for list in lists { claims += try self.claims(list, planner) }
      return claims.filter { pool.contains($0.cidr.address) }
    }
  }

  private func claims(_ listing: Listing, _ planner: Planner) throws(Halt) -> [(cidr: CIDR, owner: BlockOwner)] {
    try planner.list(listing).items.compactMap { item in
      guard case .affinity(let owner, let cidr) = item.key else { return nil }
      return (cidr, owner)
    }
  }

  private mutating func removeMarker(_ owner: BlockOwner, _ planner: Planner) throws(Halt) -> Proposal<[CIDR]> {
    if owner.kind == .host, let stored = try planner.entry(.host(owner.name)) {
      var draft = Draft()
      draft.others = [Change(.host(owner.name), base: .revision(stored.revision), final: .delete)]
      return .commit(draft)
    }
    if let error { throw .failed(error) }
    return .done(released)
  }
}

extension Planner {
  /// The blocks that a network inside an enabled pool is cut into, in ascending order (section 3.14).
  mutating func blocks(of network: CIDR) throws(Halt) -> [CIDR] {
    try require([.list(Self.allPools), .entry(.configuration)])
    let pool = try enabledPools(network.address.family).first { $0.cidr?.contains(network.address) ?? false }
    guard let pool else {
      throw .failed(
        EngineError(.noQualifiedPool, "The requested CIDR (\(network)) is not within any configured pools."))
    }
    guard network.prefixLength <= pool.blockSize else {
      throw .failed(
        EngineError(
          .invalidRequest, "The requested CIDR (\(network)) is smaller than the minimum.",
          advice: "blocks of IPPool \(pool.name) are /\(pool.blockSize)"))
    }
    let bits = pool.blockSize - network.prefixLength
    guard bits <= 20 else {
      throw .failed(
        EngineError(.invalidRequest, "The requested CIDR (\(network)) has more than \(1 << 20) blocks."))
    }
    return (0..<UInt128(1 << bits)).compactMap { network.subnet(at: $0, prefixLength: pool.blockSize) }
  }
}
