import CalicoModel
import Datastore
public import IPAddressing
import JSON

/// The pools of a procedure at one moment, and what is in use of them.
public struct ProcedureObservation: Sendable {
  /// All pools.
  public let pools: [StoredPool]
  public let source: StoredPool?
  public let standIn: StoredPool?
  /// What is in use in the source's range, whether it is there or not.
  public let sourceHoldings: PoolHoldings
  /// What is in use in the stand-in's range; nothing when it is not there.
  public let standInHoldings: PoolHoldings
  let situation: Situation

  /// A pool of the procedure; nil when it is not there.
  public func pool(_ role: PoolProcedure.Role) -> StoredPool? { role == .source ? source : standIn }

  /// What is in use, by pool.
  public var holdings: [PoolProcedure.Role: PoolHoldings] { [.source: sourceHoldings, .standIn: standInHoldings] }

  /// What is in use of a pool of the procedure.
  public func holdings(_ role: PoolProcedure.Role) -> PoolHoldings {
    role == .source ? sourceHoldings : standInHoldings
  }
}

extension PoolReader {
  /// Looks at the pools of a procedure.
  ///
  /// - Parameter procedure: the procedure.
  /// - Returns: how they are.
  /// - Throws: ``ProcedureError`` of code `stuck` when one of them, or a block, cannot be read.
  public func observe(_ procedure: PoolProcedure) async throws -> ProcedureObservation {
    let (pools, unreadable) = try await pools()
    if let error = unreadable.first { throw error }
    let source = pools.first { $0.name == procedure.source }
    let standIn = pools.first { $0.name == procedure.standIn }
    let sourceHoldings = try await procedure.sourceRange.asyncMap { try await holdings(in: $0) } ?? PoolHoldings()
    let standInHoldings = try await standIn?.pool.cidr.asyncMap { try await holdings(in: $0) } ?? PoolHoldings()
    var situation = Situation(source: source?.state ?? .absent, standIn: standIn?.state ?? .absent)
    situation.form = source.map { procedure.form(ofBlockSize: $0.pool.blockSize) }
    if let source { situation.claim = procedure.claim(on: source, among: pools) }
    situation.hasRecord = standIn?.resource[annotation: ProcedureAnnotations.record] != nil
    situation.sourceUse = sourceHoldings.use
    situation.standInUse = standInHoldings.use
    return ProcedureObservation(
      pools: pools, source: source, standIn: standIn, sourceHoldings: sourceHoldings,
      standInHoldings: standInHoldings, situation: situation)
  }
}

extension Optional where Wrapped: Sendable {
  fileprivate func asyncMap<Result>(_ transform: (Wrapped) async throws -> Result) async throws -> Result? {
    guard let value = self else { return nil }
    return try await transform(value)
  }
}

extension PoolProcedure {
  /// Who works on the source, by its own word. A mark of a procedure that is not there any more counts for nothing.
  fileprivate func claim(on source: StoredPool, among pools: [StoredPool]) -> Situation.Claim {
    // The stand-in of another procedure can be no source.
    if source.resource[annotation: ProcedureAnnotations.record] != nil { return .foreign }
    guard let mark = source.mark else { return .none }
    if mark.standIn == standIn { return mark.turn == turn ? .own : .earlier }
    let other = pools.first { $0.name == mark.standIn }
    return other?.resource[annotation: ProcedureAnnotations.record] == nil ? .none : .foreign
  }

  /// The source's range; a record without one cannot be read.
  public var sourceRange: CIDR? {
    original.specification["cidr"]?.stringValue.flatMap { CIDR($0) }?.canonical
  }
}
