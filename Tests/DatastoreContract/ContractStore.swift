import CalicoModel
import Datastore
import Testing

/// Short ways to use the store that a rule is about.
struct ContractStore: Sendable {
  let store: any Datastore

  var isAtomic: Bool { store.commitsAtomically }

  /// Generous, because a server may be slow, and finite, because a test must end.
  private var deadline: Deadline { .after(milliseconds: 30_000) }

  func read(_ reads: [Read]) async throws -> [ReadResult] {
    let results = try await store.read(reads, deadline: deadline)
    try #require(results.count == reads.count)
    return results
  }

  /// An entry, nil when there is none.
  func entry(_ key: Key) async throws -> Stored? {
    guard case .entry(let stored) = try await read([.entry(key)])[0] else {
      Issue.record("a listing came back for \(key)")
      return nil
    }
    return stored
  }

  func list(_ listing: Listing) async throws -> ListResult {
    guard case .list(let result) = try await read([.list(listing)])[0] else {
      Issue.record("an entry came back for a listing")
      return ListResult(items: [])
    }
    return result
  }

  func keys(_ scope: Listing.Scope) async throws -> [Key] {
    try await list(Listing(scope, .keys)).items.map(\.key)
  }

  func commit(_ changes: Change...) async throws -> Outcome {
    try await store.commit(Plan(changes), deadline: deadline)
  }

  func commit(_ plan: Plan) async throws -> Outcome {
    try await store.commit(plan, deadline: deadline)
  }

  /// Makes one change, which must succeed.
  ///
  /// - Returns: the entry's revision, nil when it is deleted.
  @discardableResult
  func apply(_ key: Key, base: Base, _ final: Change.Final) async throws -> Revision? {
    let outcome = try await commit(Change(key, base: base, final: final))
    guard case .applied(let revisions) = outcome else { throw UnexpectedOutcome(outcome: outcome) }
    return revisions[key]
  }

  /// Creates an entry, which must succeed.
  @discardableResult
  func create(_ key: Key, _ value: Value) async throws -> Revision {
    try #require(try await apply(key, base: .absent, .value(value)))
  }

  /// The state of an affinity, nil when there is none.
  func state(_ key: Key) async throws -> BlockAffinity.State? {
    try await entry(key)?.affinity().state
  }
}

struct UnexpectedOutcome: Error {
  let outcome: Outcome
}

extension Outcome {
  var isApplied: Bool {
    if case .applied = self { true } else { false }
  }

  /// The key of a conflict.
  var conflict: Key? {
    if case .conflict(let key, _) = self { key } else { nil }
  }

  /// The writes before a conflict.
  var writesBeforeConflict: [Write]? {
    if case .conflict(_, let writes) = self { writes } else { nil }
  }
}
