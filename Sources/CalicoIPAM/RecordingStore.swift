import CNI
import CalicoBackend
import CalicoModel
import Datastore
import SQLiteDatastore

/// The embedded datastore, which records with every assignment what can prove later that it ended: the boot and the
/// network namespace.
struct RecordingStore: Datastore {
  private let store: SQLiteDatastore

  init(
    _ configuration: CalicoConfiguration, _ access: CalicoBackend<RecordingStore>.StoreAccess,
    _ invocation: CNIInvocation
  ) {
    store = SQLiteDatastore(
      path: configuration.databaseFile,
      options: SQLiteDatastore.Options(access: access == .reading ? .readOnly : .readWrite))
  }

  var commitsAtomically: Bool { store.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    try await store.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try await store.commit(plan, deadline: deadline)
  }

  func watch(_ kinds: Set<EntryKind>, from cursor: WatchCursor?) -> WatchStream {
    store.watch(kinds, from: cursor)
  }
}
