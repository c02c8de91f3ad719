import CalicoBackend
import CalicoEngine
import Datastore

/// A store for which the time is up as soon as something certain is read.
struct FailingStore: Datastore {
  private let store: InMemoryDatastore
  private let isFatal: @Sendable (Read) -> Bool

  init(_ store: InMemoryDatastore, isFatal: @escaping @Sendable (Read) -> Bool) {
    self.store = store
    self.isFatal = isFatal
  }

  var commitsAtomically: Bool { store.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    if reads.contains(where: isFatal) { throw DatastoreError(.unavailable, "context deadline exceeded") }
    return try await store.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try await store.commit(plan, deadline: deadline)
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    store.watch(interest, from: cursor)
  }

  /// Carries out an operation on this store.
  func run<Op: Operation>(_ operation: Op) async throws -> Op.Result {
    try await OperationRunner(self, monotonic: { 0 }).run(operation, deadline: .distantFuture)
  }
}
