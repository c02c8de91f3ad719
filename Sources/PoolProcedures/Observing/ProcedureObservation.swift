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
    if let mark = source?.mark, mark.standIn == procedure.standIn {
      situation.claim = mark.turn == procedure.turn ? .own : .earlier
    }
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
  /// The source's range; a record without one cannot be read.
  public var sourceRange: CIDR? {
    original.specification["cidr"]?.stringValue.flatMap { CIDR($0) }?.canonical
  }
}
