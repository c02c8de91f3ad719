import CalicoModel
public import Datastore

/// Makes the commits of histories again on a datastore, which has to decide each as the checker's own store did, and to
/// hold the same at the end.
///
/// A store has revisions of its own: what a commit compares with is the revision that the store gave for the write that
/// the checker's store gave its one for. What was lost on the way to the store in a history never comes to it here
/// either; what was late comes when it came there.
public struct Replay: Sendable {
  private let store: any Datastore
  /// The store's revisions of an entry, by the history's.
  private var revisions: [Key: [Revision: Revision]] = [:]
  /// How many commits were made, and how many of them were refused as they had to be.
  public private(set) var commits = 0
  public private(set) var conflicts = 0

  /// How long one request may take.
  private static let patience: UInt64 = 30_000

  /// Prepares a replay.
  ///
  /// - Parameter store: an empty store: what histories write is removed after each.
  /// - Throws: ``ReplayDifference`` when there are entries already, and what the store throws.
  public init(on store: any Datastore) async throws {
    self.store = store
    let entries = try await state(with: [])
    if let key = entries.keys.first {
      throw ReplayDifference("the store holds \(entries.count) entries, such as \(key.text): name an empty one")
    }
  }

  /// Makes the commits of a history, and removes what they wrote.
  ///
  /// - Parameter recording: the history. One of commits as a whole needs a store that commits so.
  /// - Throws: ``ReplayDifference`` when the store decides otherwise, and what the store throws; entries are left then.
  public mutating func run(_ recording: Recording) async throws {
    let place = "history \(recording.seed)"
    guard store.commitsAtomically || !recording.isAtomic else {
      throw ReplayDifference("\(place) commits as a whole, which the store does not")
    }
    revisions = [:]
    for (index, commit) in recording.commits.enumerated() {
      let outcome = try await store.commit(plan(of: commit), deadline: .after(milliseconds: Self.patience))
      try compare(outcome, commit, at: "\(place), commit \(index + 1) of \(recording.commits.count)")
      commits += 1
      if case .conflict = commit.outcome { conflicts += 1 }
    }
    let entries = try await state(with: Set(recording.commits.flatMap { $0.writes.map(\.key) }))
    try compare(entries, recording.entries, at: "\(place), at the end")
    try await remove(entries.keys)
  }

  // MARK: - Commits

  private func plan(of commit: DecidedCommit) -> Plan {
    Plan(
      commit.writes.map { write in
        var base = write.base
        if case .revision(let revision) = base { base = .revision(self.revision(revision, of: write.key)) }
        return Change(write.key, base: base, final: write.value.map { .value($0) } ?? .delete)
      })
  }

  /// The store's revision; the history's own when it never was the store's, as in a plan that was made up.
  private func revision(_ revision: Revision, of key: Key) -> Revision { revisions[key]?[revision] ?? revision }

  private mutating func compare(_ outcome: Outcome, _ commit: DecidedCommit, at place: String) throws {
    switch (commit.outcome, outcome) {
    case (.applied(let expected), .applied(let found)) where expected.keys == found.keys:
      for (key, revision) in expected { revisions[key, default: [:]][revision] = found[key] }
    case (.conflict(let expected), .conflict(let found, applied: [])) where expected == found: break
    default:
      let writes = commit.writes.map { "\($0.key.text) = \(Trace.text($0.value)), made from \($0.base)" }
      throw ReplayDifference(
        "\(place): the outcome is \(outcome), and was to be \(commit.outcome), of \(writes.joined(separator: "; "))")
    }
  }

  // MARK: - Entries

  /// All entries of the store, among them those of the keys that no listing has.
  private func state(with keys: Set<Key>) async throws -> [Key: Stored] {
    let single = keys.filter { if case .host = $0 { true } else { false } } + [.configuration]
    let scopes: [Listing.Scope] =
      [.blocks(nil), .allAffinities(.host), .allAffinities(.virtual), .handles]
      + ResourceKind.allCases.map { .resources($0) }
    let reads = single.map { Read.entry($0) } + scopes.map { Read.list(Listing($0)) }
    var entries: [Key: Stored] = [:]
    let results = try await store.read(reads, deadline: .after(milliseconds: Self.patience))
    for (read, result) in zip(reads, results) {
      switch (read, result) {
      case (.entry(let key), .entry(let stored)): entries[key] = stored
      case (_, .list(let list)): for item in list.items { entries[item.key] = item.stored }
      default: throw ReplayDifference("\(read.text) was answered with something else")
      }
    }
    return entries
  }

  private func compare(_ found: [Key: Stored], _ expected: [Key: Stored], at place: String) throws {
    for key in Set(found.keys).union(expected.keys) {
      let wanted = expected[key].map { Stored(bytes: $0.bytes, revision: revision($0.revision, of: key)) }
      guard found[key] != wanted else { continue }
      throw ReplayDifference("\(place): \(key.text) is \(Self.text(found[key])), and was to be \(Self.text(wanted))")
    }
  }

  private static func text(_ stored: Stored?) -> String {
    stored.map { "\(String(decoding: $0.bytes, as: UTF8.self)) of revision \($0.revision)" } ?? "nothing"
  }

  private func remove(_ keys: some Collection<Key>) async throws {
    let plan = Plan(keys.map { Change($0, base: .any, final: .delete) })
    let outcome = try await store.commit(plan, deadline: .after(milliseconds: Self.patience))
    guard case .applied = outcome else { throw ReplayDifference("entries cannot be removed: \(outcome)") }
  }
}

/// Where a store and the checker's own disagree.
public struct ReplayDifference: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
