import CalicoModel
public import Datastore

extension SQLiteDatastore {
  /// Makes the changes of a plan in one transaction: all of them or none.
  public func commit(_ plan: Plan, deadline: Deadline) async throws(DatastoreError) -> Outcome {
    try await commit(plan, recording: [], forgetting: [], deadline: deadline)
  }

  /// Makes the changes of a plan, and what they mean for the evidence, in one transaction.
  ///
  /// Evidence is written only if the plan is: after a conflict there is nothing new.
  ///
  /// - Parameters:
  ///   - plan: the changes; may be empty. What it stages is left out.
  ///   - evidence: what to record.
  ///   - handles: the handles whose evidence is to be forgotten, before anything is recorded.
  ///   - deadline: when to give up waiting for other processes.
  /// - Returns: what became of the plan. ``Outcome/unknown(_:applied:)`` means that the device failed while the commit
  ///   was written.
  /// - Throws: ``DatastoreError`` when nothing was written.
  public func commit(
    _ plan: Plan,
    recording evidence: [AttachmentEvidence],
    forgetting handles: [String],
    deadline: Deadline
  ) async throws(DatastoreError) -> Outcome {
    // Before the gate, so that others do not wait for it.
    let batch = WriteBatch(plan, recording: evidence, forgetting: handles)
    return try write(batch, deadline)
  }

  private func write(_ batch: WriteBatch, _ deadline: Deadline) throws(DatastoreError) -> Outcome {
    guard file.options.access == .readWrite else {
      throw DatastoreError(.forbidden, "cannot write \(path): it was opened for reading only")
    }
    try refuseLate(deadline, "write")
    try DatabaseFiles.makeDirectories(DatabaseFiles.parent(of: path), for: path)
    return try WriteGate.pass(path, deadline: deadline) { () throws(DatastoreError) in
      while true {
        try refuseLate(deadline, "write")
        try file.create()
        switch try writeOnce(batch, deadline) {
        // Somebody has removed the file since it was made.
        case nil: continue
        case .outcome(let outcome): return outcome
        case .standing(.newer(let version)): throw FileHead.newer(version, path, file.schema)
        case .standing: try migrate(deadline)
        }
      }
    }
  }

  private func writeOnce(_ batch: WriteBatch, _ deadline: Deadline) throws(DatastoreError) -> WriteBatch.Result? {
    let schema = file.schema
    let logLimit = file.options.logLimit
    return try withOpened("write", deadline) { (opened) throws(SQLiteError) in
      try opened.ensureLog()
      let result = try batch.write(to: opened.connection, schema)
      if opened.connection.logSize > logLimit { opened.connection.truncateLog() }
      return result
    }
  }
}
