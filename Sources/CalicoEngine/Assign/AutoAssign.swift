import CalicoModel
import Datastore
import IPAddressing

/// Chooses addresses and assigns them: from blocks of the node, from blocks it claims for this, and borrowed from
/// blocks of other nodes, in this order (Calico IPAM specification, section 3.7).
public struct AutoAssign: Operation {
  public let request: AutoAssignRequest
  private let attribute: AllocationAttribute
  private var families: [FamilyAssignment]

  /// The operation.
  ///
  /// - Parameter request: what is wanted.
  /// - Throws: ``EngineError`` when the request can never succeed.
  public init(_ request: AutoAssignRequest) throws(EngineError) {
    for family in request.families {
      guard family.pools.allSatisfy({ $0.address.family == family.family }) else {
        let other = family.family == .v4 ? 6 : 4
        throw EngineError(
          .invalidRequest,
          "provided IPv\(family.family.rawValue) IPPools list contains one or more IPv\(other) IPPools")
      }
      if request.handleID != nil, request.maxPerHandle > 0, family.count > request.maxPerHandle {
        throw EngineError(
          .invalidRequest, "\(family.count) addresses requested where the handle may have \(request.maxPerHandle)")
      }
    }
    self.request = request
    attribute = AllocationAttribute(handleID: request.handleID, owner: request.attributes)
    families = request.families.filter { $0.count > 0 }.map { FamilyAssignment($0, of: request) }
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<AutoAssignResult> {
    if families.allSatisfy({ $0.isFinished && !$0.isInDoubt }) { return .done(result) }
    try planner.require(firstReads)
    var draft = Draft()
    for index in families.indices { try families[index].settleDoubts(planner: &planner) }
    for index in families.indices {
      if !families[index].isFinished {
        switch try families[index].plan(request, attribute, &planner, &draft) {
        case .finished: break
        case .unfinished: return .commit(draft)
        case .commitFirst(let draft):
          for index in families.indices { families[index].abandonDraft() }
          return .commit(draft)
        }
      }
      if families[index].error != nil { break }
    }
    if request.isAllOrNothing, families.contains(where: { $0.isShort }) {
      let housekeeping = families.reduce(into: Draft()) { $0.merge($1.housekeeping) }
      for index in families.indices {
        families[index].withhold()
        if families[index].isWithheld { planner.note(.withholds(families[index].wanted.family)) }
      }
      guard housekeeping.isEmpty || families.contains(where: { $0.isTidy }) else {
        for index in families.indices { families[index].isTidy = true }
        return .commit(housekeeping)
      }
      return .done(result)
    }
    return draft.isEmpty ? .done(result) : .commit(draft)
  }

  public mutating func settle(_ settlement: Settlement) {
    for index in families.indices { families[index].settle(settlement) }
  }

  public func partialResult(_ error: EngineError) -> AutoAssignResult? {
    guard families.contains(where: { !($0.result?.addresses.isEmpty ?? true) }) else { return nil }
    var partial = result
    partial.error = error
    return partial
  }

  /// Everything that is known to be needed from the start, in one batch.
  private var firstReads: [Read] {
    var reads: [Read] = [.entry(.configuration), .list(Planner.allReservations)]
    if request.use != .loadBalancer { reads.append(.entry(.resource(.node, request.host))) }
    reads.append(.list(Planner.allPools))
    for family in request.families where family.count > 0 {
      reads.append(.list(FamilyAssignment.ownAffinities(request.owner, family.family)))
      if let room = family.memory.room { reads.append(.entry(.block(room))) }
    }
    if let handleID = request.handleID { reads.append(.entry(.handle(handleID))) }
    return reads
  }

  private var result: AutoAssignResult {
    var memories: [AddressFamily: FamilyMemory] = [:]
    for family in families { memories[family.wanted.family] = family.memory }
    return AutoAssignResult(
      families: families.compactMap(\.result), error: families.lazy.compactMap(\.error).first, memories: memories)
  }
}
