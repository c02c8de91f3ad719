import CalicoModel
import Datastore

/// What a watch sees when it looks at the store: what happened after a position, and the position now.
struct WatchLook: Sendable {
  private(set) var events: [WatchEvent] = []
  let cursor: WatchCursor

  /// Looks at a store, within a transaction of the caller.
  init(_ entries: EntryTable, _ kinds: [EntryKind], from cursor: WatchCursor) throws(SQLiteError) {
    let identity = try entries.identity()
    let newest = try entries.revision()
    let position = Revision(String(newest), identity: identity)
    self.cursor = Self.cursor(kinds, position)
    if cursor == self.cursor { return }

    let oldest = try entries.firstKnownRevision()
    // For each kind whose changes are all known, up to where they have been told.
    var told: [EntryKind: Int64] = [:]
    for kind in kinds {
      // Before there was a store nothing had happened in it, whichever it came to be.
      if let past = cursor.positions[kind], past.identity == identity || past == Revision(0),
        let revision = Int64(past.token), (oldest - 1...max(newest, oldest - 1)).contains(revision)
      {
        told[kind] = revision
      } else {
        events.append(.snapshot(kind, try Self.items(of: kind, entries), position))
      }
    }
    guard let first = told.values.min(), first < newest else { return }
    for change in try entries.changes(after: first) {
      guard let key = PathRange.key(of: change.path), let revision = told[EntryKind(of: key)],
        change.revision > revision
      else { continue }
      events.append(.change(key, try entries.entry(change.path)))
    }
  }

  /// Looks where no store is yet.
  init(ofNoStore kinds: [EntryKind], from cursor: WatchCursor) {
    let position = Revision(0)
    self.cursor = Self.cursor(kinds, position)
    for kind in kinds where cursor.positions[kind] != position { events.append(.snapshot(kind, [], position)) }
  }

  private static func cursor(_ kinds: [EntryKind], _ position: Revision) -> WatchCursor {
    WatchCursor(Dictionary(uniqueKeysWithValues: kinds.map { ($0, position) }))
  }

  private static func items(of kind: EntryKind, _ entries: EntryTable) throws(SQLiteError) -> [ListResult.Item] {
    if kind == .configuration {
      let stored = try entries.entry(KeyPath.path(of: .configuration))
      return stored.map { [ListResult.Item(key: .configuration, stored: $0)] } ?? []
    }
    var items: [ListResult.Item] = []
    for range in PathRange.all(of: kind) { items += try entries.list(range).items }
    return items
  }
}
