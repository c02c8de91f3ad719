import CalicoModel
import Datastore

/// A plan made ready to be written: its entries in the form of the file.
struct WriteBatch: Sendable {
  private struct Write {
    let key: Key
    let path: String
    let base: Base
    /// Nil to delete the entry.
    let value: [UInt8]?
  }

  /// What became of a batch, or how the file's version kept it from being written.
  enum Result: Sendable {
    case outcome(Outcome)
    case standing(Schema.Standing)
  }

  private let writes: [Write]
  private let synchronous: Connection.Synchronous
  private let evidence: [AttachmentEvidence]
  private let handles: [String]

  init(_ plan: Plan, recording evidence: [AttachmentEvidence], forgetting handles: [String]) {
    writes = plan.changes.map { change in
      let value: [UInt8]? =
        switch change.final {
        case .value(let value): value.encoded()
        case .delete: nil
        }
      return Write(key: change.key, path: KeyPath.path(of: change.key), base: change.base, value: value)
    }
    synchronous = plan.durability == .disk ? .full : .normal
    self.evidence = evidence
    self.handles = handles
  }

  /// Writes the batch in a transaction of its own, under the gate.
  ///
  /// - Throws: ``SQLiteError`` when nothing was written.
  func write(to connection: Connection, _ schema: Schema) throws(SQLiteError) -> Result {
    try connection.setSynchronous(synchronous)
    try connection.run("BEGIN IMMEDIATE")
    let outcome: Outcome
    do throws(SQLiteError) {
      let standing = schema.standing(of: try Schema.version(connection))
      guard case .current = standing else {
        connection.rollBack()
        return .standing(standing)
      }
      outcome = try apply(to: connection)
    } catch {
      connection.rollBack()
      throw error
    }
    guard case .applied = outcome else {
      connection.rollBack()
      return .outcome(outcome)
    }
    do throws(SQLiteError) {
      try connection.run("COMMIT")
      return .outcome(outcome)
    } catch {
      connection.rollBack()
      if error.leavesCommitOpen { return .outcome(.unknown(nil, applied: [])) }
      throw error
    }
  }

  /// Compares every entry, and if all are as they should be writes them.
  private func apply(to connection: Connection) throws(SQLiteError) -> Outcome {
    let entries = EntryTable(connection: connection)
    for write in writes where try !entries.matches(write.base, write.path) {
      return .conflict(write.key, applied: [])
    }
    let attachments = AttachmentTable(connection: connection)
    for handle in handles { try attachments.forget(handle) }
    for evidence in evidence { try attachments.record(evidence) }
    guard !writes.isEmpty else { return .applied([:]) }

    let revision = try entries.revision() + 1
    var revisions: [Key: Revision] = [:]
    var hasChanged = false
    for write in writes {
      if try entries.write(write.value, at: write.path, revision: revision) { hasChanged = true }
      revisions[write.key] = write.value == nil ? nil : Revision(revision)
    }
    if hasChanged { try entries.trimHistory(at: revision) }
    return .applied(revisions)
  }
}
