import CalicoModel
import Datastore
import DatastoreAccess
import DatastoreSettings
import SQLiteDatastore
import Terminal

/// The datastore that a command works on, whichever it is.
struct ChosenDatastore: Datastore {
  private let base: any Datastore
  let engine: DatastoreEngine
  /// What an operator is told the datastore is.
  let name: String
  private let embedded: SQLiteDatastore?
  private let opened: OpenedDatastore?

  /// The embedded datastore. It forgets the evidence of a handle in the transaction that deletes the handle.
  init(embedded: SQLiteDatastore) {
    base = embedded
    engine = .sqlite
    name = embedded.path
    self.embedded = embedded
    opened = nil
  }

  /// A datastore of any engine. None but the embedded one keeps evidence of attachments.
  init(_ opened: OpenedDatastore) {
    base = opened.store
    engine = opened.engine
    name = opened.name
    embedded = opened.embedded
    self.opened = opened
  }

  /// A datastore that keeps no evidence of attachments.
  init(_ base: any Datastore, engine: DatastoreEngine = .etcd, name: String) {
    self.base = base
    self.engine = engine
    self.name = name
    embedded = nil
    opened = nil
  }

  var commitsAtomically: Bool { base.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    try await base.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    guard let embedded else { return try await base.commit(plan, deadline: deadline) }
    return try await embedded.commit(plan, recording: [], forgetting: plan.deletedHandles, deadline: deadline)
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream { base.watch(interest, from: cursor) }

  func scan(
    _ scope: Listing.Scope, millisecondsPerPage milliseconds: UInt64, _ body: (ScannedEntry) throws -> Void
  ) async throws {
    defer { ProgressLine.ofProcess.erase() }
    var count = 0
    try await base.scan(scope, millisecondsPerPage: milliseconds) { entry in
      count += 1
      ProgressLine.ofProcess.show("reading \(name): \(count.grouped) entries")
      try body(entry)
    }
  }

  /// What to tell an operator who looks at an embedded datastore that is not there; nil otherwise.
  var absence: String? {
    guard let path = embedded?.path, !HostFiles.exists(path) else { return nil }
    return "note: there is no datastore at \(path) yet; name another with --database, or create it with "
      + "'ipamctl apply'"
  }

  /// Hands over the workload endpoints that are kept beside the entries; none where the store has no such thing.
  func forEachWorkloadEndpoint(
    millisecondsPerPage milliseconds: UInt64, _ body: (WorkloadEndpoint) -> Void
  ) async throws {
    try await opened?.forEachWorkloadEndpoint(millisecondsPerPage: milliseconds, body)
  }

  // MARK: Evidence

  /// What is recorded of this host's attachments; none where the store keeps no such records.
  func evidence(deadline: Deadline) async throws -> [AttachmentEvidence] {
    try await embedded?.evidence(deadline: deadline) ?? []
  }

  /// Forgets what is recorded of a handle.
  func forgetEvidence(_ handle: String, deadline: Deadline) async throws {
    try await embedded?.forget(handle, deadline: deadline)
  }
}
