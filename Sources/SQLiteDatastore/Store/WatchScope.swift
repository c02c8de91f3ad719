import CalicoModel
import Datastore

/// What a watch tells of, made ready to be looked for: in the order in which it is told, and by path.
struct WatchScope: Sendable {
  let kinds: [EntryKind]
  /// The single entries, in the order of their paths.
  let keys: [(key: Key, path: String)]
  /// Ranges of paths outside of which nothing is of interest, both ends included; there may be more in them.
  let ranges: [(first: String, last: String)]

  init(_ interest: WatchInterest) {
    let kinds = interest.orderedKinds
    let keys = interest.singleKeys.map { (key: $0, path: KeyPath.path(of: $0)) }
      .sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    var ranges = kinds.flatMap { kind -> [(first: String, last: String)] in
      let path = KeyPath.path(of: .configuration)
      return kind == .configuration ? [(path, path)] : PathRange.all(of: kind).map { ($0.lower, $0.upper) }
    }
    // One range for all single entries of a kind: they are few among many, and SQLite compares faster than it looks up.
    var ends: [EntryKind: (first: String, last: String)] = [:]
    for (key, path) in keys {
      ends[EntryKind(of: key), default: (path, path)].last = path
    }
    ranges += ends.values
    self.kinds = kinds
    self.keys = keys
    self.ranges = ranges
  }

  /// The cursor of a stream that has told everything up to a position.
  func cursor(at position: Revision) -> WatchCursor {
    WatchCursor(
      Dictionary(uniqueKeysWithValues: kinds.map { ($0, position) }),
      keys: Dictionary(uniqueKeysWithValues: keys.map { ($0.key, position) }))
  }
}
