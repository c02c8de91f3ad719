import CalicoModel
import Datastore
import Synchronization

/// What was heard and nobody has looked at yet: at most one change an entry.
final class WatchMailbox: Sendable {
  fileprivate struct State {
    var snapshots: [EntryKind: (items: [ListResult.Item], revision: Revision)] = [:]
    var changes: [Key: Stored?] = [:]
    /// The keys of ``changes`` in the order in which they first changed.
    var order: [Key] = []
    var cursor = WatchCursor([:])
    var hasNews = false
    var failure: DatastoreError?
    var reader: CheckedContinuation<Void, Never>?
    var writers: [CheckedContinuation<Void, Never>] = []
    var isClosed = false
  }

  /// How many changes may wait; beyond, the server is not listened to until they were looked at.
  private static let mostChanges = 4096

  private let state = Mutex(State())

  /// Takes everything in that there is of a kind: what was heard of it before counts no more.
  func put(snapshot items: [ListResult.Item], of kind: EntryKind, _ revision: Revision) {
    update { state in
      for key in state.order where EntryKind(of: key) == kind { state.changes[key] = nil }
      state.order.removeAll { EntryKind(of: $0) == kind }
      state.snapshots[kind] = (items, revision)
      state.cursor.positions[kind] = revision
    }
  }

  /// Takes changes in, and up to where everything was heard of.
  func put(_ changes: [(key: Key, stored: Stored?)], of subject: WatchFeed.Subject, _ revision: Revision) {
    update { state in
      for change in changes {
        if state.changes.updateValue(change.stored, forKey: change.key) == nil { state.order.append(change.key) }
      }
      switch subject {
      case .kind(let kind): state.cursor.positions[kind] = revision
      case .key(let key): state.cursor.keys[key] = revision
      case .keys(let keys): for key in keys { state.cursor.keys[key] = revision }
      }
    }
  }

  /// Ends the stream with an error, once everything before was looked at.
  func fail(_ error: DatastoreError) {
    update { $0.failure = $0.failure ?? error }
  }

  private func update(_ body: (inout State) -> Void) {
    let reader = state.withLock { state -> CheckedContinuation<Void, Never>? in
      body(&state)
      state.hasNews = true
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume()
  }

  /// Waits until there is something, and takes all of it; nil when the task is cancelled.
  func next() async throws(DatastoreError) -> [WatchEvent]? {
    while !Task.isCancelled {
      let (events, failure, writers) = state.withLock { $0.take() }
      for writer in writers { writer.resume() }
      if !events.isEmpty { return events }
      if let failure { throw failure }
      await waitForNews()
    }
    return nil
  }

  private func waitForNews() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          // The handler below may have run already and found nobody.
          if state.hasNews || Task.isCancelled { return true }
          state.reader = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { state in
        defer { state.reader = nil }
        return state.reader
      }?.resume()
    }
  }

  /// Waits until there is room for changes, or nobody will look any more.
  func waitForRoom() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.order.count < Self.mostChanges || state.isClosed { return true }
        state.writers.append(continuation)
        return false
      }
      if isOver { continuation.resume() }
    }
  }

  /// Lets everybody go who waits for room: nobody will look any more.
  func close() {
    let writers = state.withLock { state in
      state.isClosed = true
      defer { state.writers = [] }
      return state.writers
    }
    for writer in writers { writer.resume() }
  }
}

extension WatchMailbox.State {
  /// Everything that there is.
  fileprivate mutating func take() -> ([WatchEvent], DatastoreError?, [CheckedContinuation<Void, Never>]) {
    guard hasNews else { return ([], nil, []) }
    var events: [WatchEvent] = snapshots.map { .snapshot($0.key, $0.value.items, $0.value.revision) }
    for key in order {
      // Every key in the order has a change.
      if let stored = changes[key] { events.append(.change(key, stored)) }
    }
    let isTold = !cursor.positions.isEmpty || !cursor.keys.isEmpty
    if isTold, failure == nil || !events.isEmpty { events.append(.bookmark(cursor)) }
    snapshots = [:]
    changes = [:]
    order = []
    // A failure is told again and again.
    hasNews = failure != nil
    defer { writers = [] }
    return (events, failure, writers)
  }
}
