import CalicoModel
import Datastore
import Synchronization

/// A store in memory that counts what crosses the wire to it.
final class CountingDatastore: Datastore {
  struct Trips: Equatable {
    var reads = 0
    var commits = 0
    /// What the reads gave, in bytes.
    var bytes = 0
    /// What the largest answer gave, in bytes.
    var largest = 0
    /// Lists of the keys of blocks.
    var listings = 0
    /// Lists that had to be of the latest state.
    var latestLists = 0
  }

  let base: InMemoryDatastore
  private let trips = Mutex(Trips())
  private let past = Mutex<InMemoryDatastore?>(nil)
  private let refusal = Mutex<Key?>(nil)
  private let interruption = Mutex<(@Sendable (Int) -> Void)?>(nil)

  init(_ base: InMemoryDatastore = InMemoryDatastore()) {
    self.base = base
  }

  /// Calls a hook before each read with the number of those before it since the last count; nil ends that.
  func interruptReads(_ hook: (@Sendable (Int) -> Void)?) { interruption.withLock { $0 = hook } }

  /// From now on, lists that may lag tell what there is now.
  func lag() {
    let copy = InMemoryDatastore()
    copy.load(base.dump())
    past.withLock { $0 = copy }
  }

  /// The next commit finds that an entry is not what it was told to be, although it compares none with it.
  func refuseCommit(for key: Key) { refusal.withLock { $0 = key } }

  /// What was counted since the last time.
  func take() -> Trips {
    trips.withLock { trips in
      defer { trips = Trips() }
      return trips
    }
  }

  var commitsAtomically: Bool { base.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    interruption.withLock { $0 }?(trips.withLock { $0.reads })
    var results = try await base.read(reads, deadline: deadline)
    if let past = past.withLock({ $0 }) {
      for (index, read) in reads.enumerated() where read.mayLag {
        results[index] = try await past.read([read], deadline: deadline)[0]
      }
    }
    trips.withLock { trips in
      trips.reads += 1
      let before = trips.bytes
      for (read, result) in zip(reads, results) {
        trips.bytes += Self.bytes(result)
        guard case .list(let listing) = read else { continue }
        if case .blocks = listing.scope { trips.listings += 1 }
        if !listing.mayLag { trips.latestLists += 1 }
      }
      trips.largest = max(trips.largest, trips.bytes - before)
    }
    return results
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    trips.withLock { $0.commits += 1 }
    let refused = refusal.withLock { key in
      defer { key = nil }
      return key
    }
    if let refused { return .conflict(refused, applied: []) }
    return try await base.commit(plan, deadline: deadline)
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    base.watch(interest, from: cursor)
  }

  private static func bytes(_ result: ReadResult) -> Int {
    switch result {
    case .entry(let stored): stored?.bytes.count ?? 0
    case .list(let list):
      list.items.reduce(0) { $0 + KeyPath.path(of: $1.key).utf8.count + ($1.stored?.bytes.count ?? 0) }
    }
  }
}

extension Read {
  fileprivate var mayLag: Bool { if case .list(let listing) = self { listing.mayLag } else { false } }
}
