import CalicoModel
import Synchronization

/// A store in the memory of this process: the reference that every driver is compared with, and what simulations use.
///
/// It keeps entries under etcd's paths in etcd's form, and counts revisions as etcd does: one number for the whole
/// store, which every commit counts up once where plans are committed as a whole, and every write where they are
/// committed stage by stage. Writes can be made to fail one by one (``injectFaults(_:)``).
public final class InMemoryDatastore: Datastore {
  public let commitsAtomically: Bool
  let state: Mutex<InMemoryState>

  /// An empty store.
  ///
  /// - Parameters:
  ///   - commitsAtomically: whether a plan is made as a whole; otherwise stage by stage, as ``Plan`` says.
  ///   - changeLogCapacity: how many changes a watch can lag behind, at least, before it begins with a snapshot again.
  public init(commitsAtomically: Bool = true, changeLogCapacity: Int = 1024) {
    self.commitsAtomically = commitsAtomically
    state = Mutex(InMemoryState(log: ChangeLog(capacity: changeLogCapacity)))
  }

  public func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    try check(deadline)
    return state.withLock { state in
      reads.map { read in
        switch read {
        case .entry(let key): .entry(state.entries[EntryPath(key)]?.stored)
        case .list(let listing): .list(state.entries.list(listing))
        }
      }
    }
  }

  public func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try check(deadline)
    return commitsAtomically ? try commitAsWhole(plan) : try commitByStages(plan)
  }

  /// Consults a hook before every single write from now on; nil ends that.
  ///
  /// The hook is called outside the store's lock, so that it can change the store as another process would.
  public func injectFaults(_ hook: (@Sendable (PendingWrite) -> WriteFault)?) {
    state.withLock { $0.faults = hook }
  }

  private func check(_ deadline: Deadline) throws(DatastoreError) {
    if deadline.hasPassed {
      throw DatastoreError(.unavailable, "the deadline passed before the store in memory was asked")
    }
  }

  /// Changes the store, and wakes whoever waits for a change.
  func mutate<Result: Sendable>(_ body: (inout InMemoryState) -> Result) -> Result {
    let (result, waiters) = state.withLock { state in
      let before = state.revision
      let result = body(&state)
      return (result, state.revision == before ? [] : state.takeWaiters())
    }
    for waiter in waiters { waiter.resume() }
    return result
  }
}

// MARK: - Raw entries

extension InMemoryDatastore {
  /// Writes bytes under a path as a foreign program may, whatever was there and whatever they are.
  ///
  /// - Parameters:
  ///   - bytes: what to write; nil deletes the entry.
  ///   - path: the path, which need not be one that ``KeyPath`` knows.
  /// - Returns: the store's revision afterwards.
  @discardableResult
  public func put(_ bytes: [UInt8]?, at path: String) -> Revision {
    mutate { state in
      state.revision += 1
      state.write(bytes, at: EntryPath(path))
      return Revision(state.revision)
    }
  }

  /// Writes many entries, in the order of their paths, one revision each.
  public func load(_ entries: [String: [UInt8]]) {
    mutate { state in
      for (path, bytes) in entries.map({ (EntryPath($0), $1) }).sorted(by: { $0.0 < $1.0 }) {
        state.revision += 1
        state.write(bytes, at: path)
      }
    }
  }

  /// Everything in the store by path, what no key names included.
  public func dump() -> [String: [UInt8]] {
    state.withLock { state in state.entries.dump() }
  }
}

/// What the lock of an ``InMemoryDatastore`` guards.
struct InMemoryState {
  /// The revision of the last change.
  var revision: Int64 = 0
  var entries = EntryTables()
  var log: ChangeLog
  var faults: (@Sendable (PendingWrite) -> WriteFault)?
  var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
  private var lastWaiter: UInt64 = 0

  init(log: ChangeLog) {
    self.log = log
  }

  /// Writes at the present revision, and remembers that.
  mutating func write(_ bytes: [UInt8]?, at path: EntryPath) {
    let key: Key?
    if let bytes {
      key = entries.put(StoredBytes(bytes: bytes, revision: revision), at: path)
    } else {
      key = entries.remove(path)
    }
    if let key { log.append(ChangeLog.Record(revision: revision, key: key)) }
  }

  mutating func makeWaiter() -> UInt64 {
    lastWaiter += 1
    return lastWaiter
  }

  mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
    defer { waiters.removeAll() }
    return Array(waiters.values)
  }
}
