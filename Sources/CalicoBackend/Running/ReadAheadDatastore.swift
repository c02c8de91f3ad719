import CalicoModel
public import Datastore
import Synchronization

/// A datastore whose first read within a call takes along what the call is expected to need later, so that one round trip
/// answers several questions.
///
/// What people configure is answered from it as often as it is asked for: within a call it stays as it was first seen.
/// Blocks, affinities and handles are answered once, because who asks again wants to know what has become of them, and
/// not at all after a commit.
///
/// Lists may be allowed to lag behind for a while. What is found with them is then good for one thing only: an address from
/// a block that the node has, which is read and compared by itself. Everything else is refused with ``LagRefusal``.
public final class ReadAheadDatastore<Base: Datastore>: Datastore {
  private let base: Base
  private let isEnabled: Bool
  private let state = Mutex(ReadAheadState())

  /// A datastore that reads ahead.
  ///
  /// - Parameters:
  ///   - base: the datastore.
  ///   - isEnabled: whether it does: where a read costs no round trip, reading what may not be needed is a loss.
  public init(_ base: Base, isEnabled: Bool) {
    self.base = base
    self.isEnabled = isEnabled
  }

  public var commitsAtomically: Bool { base.commitsAtomically }

  /// Says what will be asked for; the next read that has to go to the store takes it along.
  public func expect(_ reads: [Read]) {
    guard isEnabled else { return }
    state.withLock { $0.expected += reads }
  }

  /// Whether lists may lag. It ends by itself with the first commit.
  public var mayLag: Bool {
    get { state.withLock { $0.mayLag } }
    set {
      state.withLock { state in
        // What has lagged must not answer who may not be told so.
        if state.mayLag, !newValue { state.known = state.known.filter { !$0.key.isList } }
        state.mayLag = newValue
      }
    }
  }

  /// Reads what is expected without waiting for a question, as when something else is asked somewhere else meanwhile.
  ///
  /// - Parameter deadline: when to give up.
  /// - Throws: `DatastoreError` when the store cannot be reached or read.
  public func fetch(deadline: Deadline) async throws {
    guard state.withLock({ !$0.expected.isEmpty }) else { return }
    _ = try await read([], deadline: deadline)
  }

  public func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    guard isEnabled else { return try await base.read(reads, deadline: deadline) }
    let (batch, mayLag) = state.withLock { ($0.batch(for: reads), $0.mayLag) }
    if !batch.isEmpty {
      if mayLag, batch.contains(where: \.isOfOtherNodes) { throw LagRefusal() }
      let results = try await base.read(mayLag ? batch.map(\.lagging) : batch, deadline: deadline)
      state.withLock { state in
        for (read, result) in zip(batch, results) { state.known[read] = result }
      }
    }
    return try state.withLock { state throws(DatastoreError) in try state.answer(reads) }
  }

  public func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    if mayLag, !plan.onlyTakesAddresses { throw LagRefusal() }
    mayLag = false
    let outcome = try await base.commit(plan, deadline: deadline)
    guard isEnabled else { return outcome }
    state.withLock { state in
      if case .applied = outcome {
        state.known = state.known.filter { $0.key.isConfigured }
      } else {
        state.known = [:]
      }
      state.expected = []
    }
    return outcome
  }

  public func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    base.watch(interest, from: cursor)
  }
}

/// More was wanted than can be had with lists that lag; nothing has been written.
struct LagRefusal: Error {}

/// What a ``ReadAheadDatastore`` knows.
private struct ReadAheadState {
  var mayLag = false
  var expected: [Read] = []
  var known: [Read: ReadResult] = [:]

  /// What has to be read to answer: nothing when all is known, and otherwise what is expected as well.
  mutating func batch(for reads: [Read]) -> [Read] {
    let missing = reads.filter { known[$0] == nil }
    guard !missing.isEmpty || reads.isEmpty else { return [] }
    var batch: [Read] = []
    var seen: Set<Read> = []
    for read in missing + expected where known[read] == nil && seen.insert(read).inserted { batch.append(read) }
    expected = []
    return batch
  }

  /// Takes the answers out, of what does not stay as it was first seen.
  mutating func answer(_ reads: [Read]) throws(DatastoreError) -> [ReadResult] {
    var results: [ReadResult] = []
    for read in reads {
      guard let result = known[read] else {
        throw DatastoreError(.unusable, "the datastore left a read without an answer")
      }
      results.append(result)
    }
    for read in reads where !read.isConfigured { known[read] = nil }
    return results
  }
}

extension Plan {
  /// Whether it does nothing but count addresses and take them from blocks that exist.
  fileprivate var onlyTakesAddresses: Bool {
    changes.allSatisfy { change in
      switch (change.key, change.base, change.final) {
      case (.handle, _, _), (.block, .revision, .value): true
      default: false
      }
    }
  }
}

extension Read {
  fileprivate var isList: Bool { if case .list = self { true } else { false } }

  /// Whether it looks for a block that is not the node's.
  fileprivate var isOfOtherNodes: Bool {
    guard case .list(let listing) = self else { return false }
    switch listing.scope {
    case .blocks, .allAffinities: return true
    case .affinities, .handles, .resources: return false
    }
  }

  /// The same, for an answer that may lag.
  fileprivate var lagging: Read {
    guard case .list(var listing) = self else { return self }
    listing.mayLag = true
    return .list(listing)
  }

  /// Whether it is about what people configure.
  fileprivate var isConfigured: Bool {
    switch self {
    case .entry(.configuration), .entry(.resource): true
    case .entry: false
    case .list(let listing): if case .resources = listing.scope { true } else { false }
    }
  }
}
