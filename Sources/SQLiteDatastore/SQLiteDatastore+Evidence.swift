public import Datastore

extension SQLiteDatastore {
  /// Records what was seen of attachments, in the place of earlier evidence of the same handles and interfaces.
  ///
  /// - Throws: ``DatastoreError`` when nothing was written.
  public func record(_ evidence: [AttachmentEvidence], deadline: Deadline) async throws(DatastoreError) {
    try await change(recording: evidence, forgetting: [], deadline)
  }

  /// Forgets what was recorded of a handle, for all interfaces; nothing recorded is no error.
  ///
  /// - Throws: ``DatastoreError`` when nothing was forgotten.
  public func forget(_ handle: String, deadline: Deadline) async throws(DatastoreError) {
    try await change(recording: [], forgetting: [handle], deadline)
  }

  /// All evidence, by handle and interface; none when there is no store.
  public func evidence(deadline: Deadline) async throws(DatastoreError) -> [AttachmentEvidence] {
    let list = try reading(deadline) { (connection) throws(SQLiteError) in
      try AttachmentTable(connection: connection).list()
    }
    return list ?? []
  }

  private func change(
    recording evidence: [AttachmentEvidence], forgetting handles: [String], _ deadline: Deadline
  ) async throws(DatastoreError) {
    let outcome = try await commit(Plan(), recording: evidence, forgetting: handles, deadline: deadline)
    guard case .unknown = outcome else { return }
    throw DatastoreError(
      .unavailable,
      "cannot tell whether evidence was written to \(path): the device failed during the commit",
      advice: "do it again; see the kernel's log for errors of the device"
    )
  }
}
