import CalicoModel
import Datastore
import IPAddressing
import Synchronization

/// A datastore over another one that is only read: what is committed stays in the memory of this process, and later reads
/// find it there as if it had been written.
///
/// Commits compare as a real one does, with what was committed here before or else with what the other store has by then,
/// and are made as a whole.
final class RehearsalDatastore<Base: Datastore>: Datastore {
  private let base: Base
  private let state = Mutex(RehearsalState())

  init(_ base: Base) {
    self.base = base
  }

  var commitsAtomically: Bool { true }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    let asked = state.withLock { state in reads.map { state.widened($0) } }
    let results: [ReadResult]
    do {
      results = try await base.read(asked, deadline: deadline)
    } catch {
      state.withLock { $0.failure = error }
      throw error
    }
    return state.withLock { state in
      zip(reads, results).map { state.overlaid($0, $1) }
    }
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    let reads = plan.changes.map { Read.entry($0.key) }
    let present = try await read(reads, deadline: deadline)
    for (change, result) in zip(plan.changes, present) {
      guard case .entry(let stored) = result, change.base.holds(for: stored) else {
        return .conflict(change.key, applied: [])
      }
    }
    return .applied(state.withLock { $0.apply(plan) })
  }

  /// The changes of the other store; nothing that is committed here is told.
  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    base.watch(interest, from: cursor)
  }

  /// Why the other store could not be read; nil when it could.
  var failure: (any Error)? { state.withLock { $0.failure } }

  /// The entries that commits have written or deleted, in the order of their paths.
  var changedKeys: [Key] {
    state.withLock { $0.entries.keys.sorted(by: RehearsalState.isBefore) }
  }
}

extension Base {
  /// Whether an entry is what a change was made from.
  fileprivate func holds(for stored: Stored?) -> Bool {
    switch self {
    case .any: true
    case .absent: stored == nil
    case .revision(let revision): stored?.revision == revision
    }
  }
}

/// What a ``RehearsalDatastore`` has been given.
private struct RehearsalState {
  /// Nil is what was deleted.
  var entries: [Key: Stored?] = [:]
  var failure: (any Error)?
  private var commits = 0

  mutating func apply(_ plan: Plan) -> [Key: Revision] {
    commits += 1
    // No store's own revision has this form.
    let revision = Revision("rehearsal-\(commits)")
    var revisions: [Key: Revision] = [:]
    for change in plan.changes {
      switch change.final {
      case .delete: entries[change.key] = .some(nil)
      case .value(let value):
        entries[change.key] = Stored(bytes: value.encoded(), revision: revision)
        revisions[change.key] = revision
      }
    }
    return revisions
  }

  /// The read that gives enough to answer one, when entries may have to be taken out of the answer.
  func widened(_ read: Read) -> Read {
    guard case .list(var listing) = read, let limit = listing.limit else { return read }
    listing.limit = limit + entries.keys.count { listing.scope.includes($0) }
    return .list(listing)
  }

  /// What a read gives with what was committed here.
  func overlaid(_ read: Read, _ result: ReadResult) -> ReadResult {
    switch (read, result) {
    case (.entry(let key), .entry):
      if let own = entries[key] { return .entry(own) }
      return result
    case (.list(let listing), .list(let list)): return .list(overlaid(listing, list))
    default: return result
    }
  }

  private func overlaid(_ listing: Listing, _ list: ListResult) -> ListResult {
    let own = entries.filter { listing.scope.includes($0.key) }
    var merged = list
    if !own.isEmpty {
      merged.items.removeAll { own[$0.key] != nil }
      let last = list.items.last?.key
      for case (let key, let stored?) in own {
        if let after = listing.after, !Self.isBefore(after, key) { continue }
        // Where the answer was cut off, nothing is known of what comes behind.
        if list.hasMore, let last, Self.isBefore(last, key) { continue }
        merged.items.append(ListResult.Item(key: key, stored: listing.contents == .values ? stored : nil))
      }
      merged.items.sort { Self.isBefore($0.key, $1.key) }
    }
    if let limit = listing.limit, merged.items.count > limit {
      merged.items.removeLast(merged.items.count - limit)
      merged.hasMore = true
    }
    return merged
  }

  static func isBefore(_ left: Key, _ right: Key) -> Bool {
    KeyPath.path(of: left).utf8.lexicographicallyPrecedes(KeyPath.path(of: right).utf8)
  }
}

extension Listing.Scope {
  /// Whether an entry is one of a range.
  fileprivate func includes(_ key: Key) -> Bool {
    switch (self, key) {
    case (.blocks(let family), .block(let cidr)): (family ?? cidr.address.family) == cidr.address.family
    case (.affinities(let owner, let family), .affinity(let other, let cidr)):
      owner == other && (family ?? cidr.address.family) == cidr.address.family
    case (.allAffinities(let kind), .affinity(let owner, _)): owner.kind == kind
    case (.handles, .handle): true
    case (.resources(let kind), .resource(let other, _)): kind == other
    default: false
    }
  }
}
