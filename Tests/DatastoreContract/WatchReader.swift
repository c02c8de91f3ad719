import CalicoModel
import Datastore
import Synchronization

/// Reads a stream and keeps the state that it tells of.
struct WatchReader {
  struct Change {
    var key: Key
    var stored: Stored?
  }

  private var iterator: WatchStream.Iterator
  /// The entries as they are after what was told.
  private(set) var state: [Key: Stored]
  private(set) var snapshots: [EntryKind] = []
  private(set) var changes: [Change] = []
  private(set) var cursor: WatchCursor?

  init(_ stream: WatchStream, state: [Key: Stored] = [:]) {
    iterator = stream.makeAsyncIterator()
    self.state = state
  }

  /// The stream ended.
  struct Ended: Error {}

  private mutating func readOne() async throws {
    guard let event = try await iterator.next() else { throw Ended() }
    switch event {
    case .snapshot(let kind, let items, _):
      snapshots.append(kind)
      state = state.filter { EntryKind(of: $0.key) != kind }
      for item in items { state[item.key] = item.stored }
    case .change(let key, let stored):
      changes.append(Change(key: key, stored: stored))
      state[key] = stored
    case .bookmark(let cursor): self.cursor = cursor
    }
  }

  /// Reads until the next bookmark.
  mutating func readUpToBookmark() async throws {
    cursor = nil
    while cursor == nil { try await readOne() }
  }

  /// Reads at least one event, and on until all changes so far are as they should be.
  mutating func read(until isEnough: ([Change]) throws -> Bool) async throws {
    let seen = changes.count
    while try changes.count == seen || !isEnough(changes) { try await readOne() }
  }
}

/// The time for something is over.
struct TimedOut: Error {}

/// Runs something, and gives up on it when it takes too long: a stream that never ends must not stop the tests.
func within(seconds: Int, _ body: @escaping @Sendable () async throws -> Void) async throws {
  let waiting = Mutex<CheckedContinuation<Void, any Error>?>(nil)
  let end: @Sendable (Result<Void, any Error>) -> Void = { result in
    let continuation = waiting.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
    continuation?.resume(with: result)
  }
  try await withCheckedThrowingContinuation { continuation in
    waiting.withLock { $0 = continuation }
    let work = Task {
      do {
        try await body()
        end(.success(()))
      } catch {
        end(.failure(error))
      }
    }
    let timer = Task {
      try await Task.sleep(for: .seconds(seconds))
      end(.failure(TimedOut()))
      work.cancel()
    }
    Task {
      await work.value
      timer.cancel()
    }
  }
}
