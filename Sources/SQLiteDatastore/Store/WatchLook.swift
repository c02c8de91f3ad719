import CalicoModel
import Datastore

/// What a watch sees when it looks at the store: what happened after a position, and the position now.
struct WatchLook: Sendable {
  private(set) var events: [WatchEvent] = []
  let cursor: WatchCursor

  /// Looks at a store, within a transaction of the caller.
  init(_ entries: EntryTable, _ scope: WatchScope, from cursor: WatchCursor) throws(SQLiteError) {
    let identity = try entries.identity()
    let newest = try entries.revision()
    let position = Revision(String(newest), identity: identity)
    self.cursor = scope.cursor(at: position)
    if cursor == self.cursor { return }

    // Up to where all has been told that a position speaks for; nil when the changes since are not known any more.
    let oldest = try entries.firstKnownRevision()
    func told(_ past: Revision?) -> Int64? {
      // Before there was a store nothing had happened in it, whichever it came to be.
      guard let past, past.identity == identity || past == Revision(0), let revision = Int64(past.token),
        (oldest - 1...max(newest, oldest - 1)).contains(revision)
      else { return nil }
      return revision
    }
    var toldKinds: [EntryKind: Int64] = [:]
    for kind in scope.kinds {
      toldKinds[kind] = told(cursor.positions[kind])
      if toldKinds[kind] == nil { events.append(.snapshot(kind, try Self.items(of: kind, entries), position)) }
    }
    var toldKeys: [Key: Int64] = [:]
    for (key, path) in scope.keys {
      toldKeys[key] = told(cursor.keys[key])
      if toldKeys[key] == nil { events.append(.change(key, try entries.entry(path))) }
    }
    let firsts = [toldKinds.values.min(), toldKeys.values.min()]
    guard let first = firsts.compactMap(\.self).min(), first < newest else { return }
    for change in try entries.changes(after: first, in: scope.ranges) {
      guard let key = PathRange.key(of: change.path),
        let revision = toldKinds[EntryKind(of: key)] ?? toldKeys[key], change.revision > revision
      else { continue }
      events.append(.change(key, try entries.entry(change.path)))
    }
  }

  /// Looks where no store is yet.
  init(ofNoStore scope: WatchScope, from cursor: WatchCursor) {
    let position = Revision(0)
    self.cursor = scope.cursor(at: position)
    for kind in scope.kinds where cursor.positions[kind] != position { events.append(.snapshot(kind, [], position)) }
    for (key, _) in scope.keys where cursor.keys[key] != position { events.append(.change(key, nil)) }
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
