import CalicoModel
import Datastore

/// Writes entries that must not be there, or must be as they were read, and finds out what became of writes that were cut
/// off or that another one got ahead of.
struct MigrationWriter: Sendable {
  /// How often a plan is attempted.
  private static let attempts = 8

  private let store: any Datastore

  init(_ store: any Datastore) { self.store = store }

  /// Writes one entry; see ``write(_:settles:)-(_,(Key,Stored)->Bool)``.
  func write(_ changes: [Change], settles: (Stored) -> Bool) async throws(MigrationError) {
    try await write(changes) { _, stored in settles(stored) }
  }

  /// Writes.
  ///
  /// - Parameters:
  ///   - changes: what to write.
  ///   - settles: whether a stored entry is what was to be written.
  /// - Throws: ``MigrationError`` when an entry is something else, or nothing can be written.
  func write(_ changes: [Change], settles: (Key, Stored) -> Bool) async throws(MigrationError) {
    var rest = Plan(changes, durability: .disk)
    for _ in 0..<Self.attempts {
      let outcome: Outcome
      do {
        outcome = try await store.commit(rest, deadline: MigrationReading.deadline)
      } catch {
        throw MigrationError(.datastore, MigrationReading.text(error))
      }
      if case .applied = outcome { return }
      rest = try await unsettled(rest, settles)
      if rest.isEmpty { return }
    }
    let keys = rest.changes.prefix(3).map { "\($0.key)" }.joined(separator: ", ")
    throw MigrationError(.datastore, "\(keys) could not be written in \(Self.attempts) attempts; try again")
  }

  /// The changes that are not made yet.
  private func unsettled(_ plan: Plan, _ settles: (Key, Stored) -> Bool) async throws(MigrationError) -> Plan {
    var rest = plan
    let found = try await MigrationReading(store).entries(plan.changes.map(\.key))
    rest.changes = []
    for (change, stored) in zip(plan.changes, found) {
      switch (change.base, stored) {
      case (.absent, nil): rest.changes.append(change)
      case (_, let stored?) where settles(change.key, stored): continue
      case (.revision(let revision), let stored?) where stored.revision == revision: rest.changes.append(change)
      default:
        throw MigrationError(
          .occupied,
          "somebody else has written \(change.key) meanwhile: stop what writes to the datastore, and import again")
      }
    }
    return rest
  }
}
