import CalicoModel
import Datastore
import Synchronization

/// Hands everything on, and counts the bytes that are read: keys as paths, and values.
final class CountingStore: Datastore {
  private struct State {
    var bytes = 0
    var paths: [String] = []
    var reads = 0
    var failure: DatastoreError?
  }

  let base: any Datastore
  private let state = Mutex(State())

  init(_ base: any Datastore) {
    self.base = base
  }

  var bytes: Int { state.withLock { $0.bytes } }

  /// The paths that were read, and how many reads there were, since the last call.
  func takePaths() -> [String] {
    state.withLock { state in
      defer { state.paths = [] }
      return state.paths
    }
  }

  var reads: Int { state.withLock { $0.reads } }

  /// Lets every call fail; nil ends that.
  func fail(_ error: DatastoreError?) { state.withLock { $0.failure = error } }

  var commitsAtomically: Bool { base.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    if let failure = state.withLock({ $0.failure }) { throw failure }
    let results = try await base.read(reads, deadline: deadline)
    state.withLock { $0.reads += 1 }
    for (read, result) in zip(reads, results) {
      switch (read, result) {
      case (.entry(let key), .entry(let stored)): count(key, stored)
      case (_, .list(let list)): for item in list.items { count(item.key, item.stored) }
      default: break
      }
    }
    return results
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try await base.commit(plan, deadline: deadline)
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    let stream = base.watch(interest, from: cursor)
    return WatchStream { [self] in
      // One task iterates at a time.
      let iterator = IteratorBox(stream.makeAsyncIterator())
      return {
        if let failure = self.state.withLock({ $0.failure }) { throw failure }
        guard let event = try await iterator.next() else { return nil }
        if let failure = self.state.withLock({ $0.failure }) { throw failure }
        switch event {
        case .snapshot(_, let items, _): for item in items { self.count(item.key, item.stored) }
        case .change(let key, let stored): self.count(key, stored)
        case .bookmark: break
        }
        return [event]
      }
    }
  }

  private func count(_ key: Key, _ stored: Stored?) {
    let path = KeyPath.path(of: key)
    state.withLock { state in
      state.bytes += path.utf8.count + (stored?.bytes.count ?? 0)
      state.paths.append(path)
    }
  }
}

/// An iterator for a closure; used by one task at a time, as a stream's iteration is.
private final class IteratorBox: @unchecked Sendable {
  private var iterator: WatchStream.Iterator

  init(_ iterator: WatchStream.Iterator) {
    self.iterator = iterator
  }

  func next() async throws -> WatchEvent? { try await iterator.next() }
}
