public import CalicoModel
public import Datastore
import IPAddressing

/// A pool as it is stored.
public struct StoredPool: Hashable, Sendable {
  /// The whole document, without a resource version.
  public let resource: Resource
  /// What address management reads of it.
  public let pool: IPPool
  public let revision: Revision

  init(_ stored: Stored, name: String) throws(ProcedureError) {
    do {
      resource = try Resource(stored: stored.bytes, kind: .ipPool, name: name)
      pool = try IPPool(decoding: stored.bytes, name: name)
    } catch {
      throw ProcedureError(.stuck, "IPPool \(name) cannot be read: \(error)")
    }
    revision = stored.revision
  }

  public var name: String { pool.name }

  /// The record of a procedure that this pool is the stand-in of; nil when there is none.
  ///
  /// - Throws: ``ProcedureError`` of code `unreadable`.
  public func procedure() throws(ProcedureError) -> PoolProcedure? {
    guard let record = resource[annotation: ProcedureAnnotations.record] else { return nil }
    return try PoolProcedure(record: record, standIn: name)
  }

  /// The mark of a procedure that this pool is the source of.
  var mark: ProcedureMark? { resource[annotation: ProcedureAnnotations.mark].flatMap { ProcedureMark($0) } }

  var state: Situation.PoolState {
    if pool.isDeleting { return .leaving }
    if pool.isDisabled { return .disabled }
    return pool.isEnabled ? .enabled : .unusable
  }
}
