public import CalicoModel
import Datastore
public import IPAddressing

/// Sees to it that a host has a block, full or not (Calico IPAM specification, section 3.16).
public struct EnsureBlock: Operation {
  private let request: AutoAssignRequest
  private let wanted: AutoAssignRequest.Family
  private var search = BlockSearch()
  private var planned: CIDR?
  private var found: CIDR?

  /// The operation for one family.
  ///
  /// - Parameters:
  ///   - host: the node's name.
  ///   - family: the family, pools and reservation; its count is of no account.
  ///   - time: now.
  ///   - start: where the search for a new block begins; nil for the host's own place.
  /// - Throws: ``EngineError`` when a pool is of another family.
  public init(
    host: String, _ family: AutoAssignRequest.Family, time: Timestamp, start: BlockOrder.Start? = nil
  ) throws(EngineError) {
    var request = AutoAssignRequest([family], handleID: nil, host: host, use: .workload, time: time)
    if let start { request.start = start }
    // The checks of the arguments are those of an assignment.
    _ = try AutoAssign(request)
    self.request = request
    wanted = family
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<CIDR> {
    if let found { return .done(found) }
    let owner = request.owner
    try planner.require([
      .entry(.configuration), .list(Planner.allReservations), .entry(.resource(.node, request.host)),
      .list(Planner.allPools), .list(FamilyAssignment.ownAffinities(owner, wanted.family)),
    ])
    let configuration = try planner.configuration()
    let reserved = try planner.reservedAddresses()
    let choice = try planner.choosePools(
      PoolRequest(
        family: wanted.family, requested: wanted.pools, use: .workload, owner: owner, reservation: wanted.reservation))
    let scope = SearchScope(
      request: request, wanted: wanted, configuration: configuration, reserved: reserved, choice: choice, owner: owner)
    var draft = Draft()
    let own = try search.ownBlocks(scope, &planner, &draft)
    if let cidr = try search.anyOwnBlock(own, scope, &planner, &draft) {
      return propose(cidr, draft)
    }
    guard configuration.autoAllocateBlocks else {
      throw .failed(EngineError(.noQualifiedPool, "failed to find or claim a block"))
    }
    switch try search.newBlock(scope, own, FamilyMemory(), &planner, &draft) {
    case .claimed(let cidr): return propose(cidr, draft)
    case .reclaims(let reclaim): return .commit(reclaim)
    case .none: throw .failed(EngineError(.noQualifiedPool, "No Free Blocks"))
    }
  }

  private mutating func propose(_ cidr: CIDR, _ draft: Draft) -> Proposal<CIDR> {
    guard !draft.isEmpty else { return .done(cidr) }
    planned = cidr
    return .commit(draft)
  }

  public mutating func settle(_ settlement: Settlement) {
    search.settle(settlement)
    if settlement.isComplete { found = planned }
    planned = nil
  }
}

extension BlockSearch {
  /// The first block of the node that can be used, even without room.
  fileprivate mutating func anyOwnBlock(
    _ own: OwnBlocks, _ scope: SearchScope, _ planner: inout Planner, _ draft: inout Draft
  ) throws(Halt) -> CIDR? {
    for item in own.items where !scope.reserved.covers(item.cidr) {
      let block = try planner.workingBlock(
        item.cidr, in: &draft, time: scope.request.time, cooldown: scope.configuration.cooldownSeconds)
      guard let block else {
        let new = planner.newBlock(item.cidr, of: scope.owner, since: scope.request.time, scope.wanted.reservation)
        draft.claim(new, for: scope.owner, affinity: item.base)
        return item.cidr
      }
      guard block.affinity == scope.owner.description else {
        draft.blocks[item.cidr] = nil
        draft.deleteStale(scope.owner, item.cidr, base: item.base)
        continue
      }
      if item.affinity.state != .confirmed, item.affinity.state != .unstated {
        draft.confirm(item.cidr, for: scope.owner, affinity: item.affinity, base: item.base)
      }
      return item.cidr
    }
    return nil
  }
}
