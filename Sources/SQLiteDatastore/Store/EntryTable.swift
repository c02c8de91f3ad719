import CalicoModel
import Datastore

/// The entries of a store and the history of their changes, within a transaction of the caller.
struct EntryTable {
  let connection: Connection

  /// How many of the last commits' changes are kept for those who watch.
  static let keptCommits: Int64 = 1024

  // MARK: Reading

  /// What one read gives.
  func result(of read: Read) throws(SQLiteError) -> ReadResult {
    switch read {
    case .entry(let key): .entry(try entry(KeyPath.path(of: key)))
    case .list(let listing): .list(try list(listing))
    }
  }

  func entry(_ path: String) throws(SQLiteError) -> Stored? {
    var stored: Stored?
    try connection.rows("SELECT revision, value FROM entries WHERE path = ?1", .text(path)) { row in
      stored = Stored(bytes: row.bytes(1), revision: Revision(row.integer(0)))
      return false
    }
    return stored
  }

  private func list(_ listing: Listing) throws(SQLiteError) -> ListResult {
    try list(PathRange(listing), listing.contents, limit: listing.limit)
  }

  func list(
    _ range: PathRange, _ contents: Listing.Contents = .values, limit: Int? = nil
  ) throws(SQLiteError) -> ListResult {
    let sql =
      switch contents {
      case .keys: "SELECT path FROM entries WHERE path > ?1 AND path < ?2 ORDER BY path"
      case .values: "SELECT path, revision, value FROM entries WHERE path > ?1 AND path < ?2 ORDER BY path"
      }
    var result = ListResult(items: [])
    try connection.rows(sql, .text(range.lower), .text(range.upper)) { row in
      guard let key = range.key(of: row.text(0)) else { return true }
      if let limit, result.items.count >= limit {
        result.hasMore = true
        return false
      }
      var stored: Stored?
      if contents == .values { stored = Stored(bytes: row.bytes(2), revision: Revision(row.integer(1))) }
      result.items.append(ListResult.Item(key: key, stored: stored))
      return true
    }
    return result
  }

  // MARK: Writing

  /// Whether an entry is what a change was made from.
  func matches(_ base: Base, _ path: String) throws(SQLiteError) -> Bool {
    if base == .any { return true }
    let revision = try connection.number("SELECT revision FROM entries WHERE path = ?1", .text(path))
    return switch base {
    case .absent: revision == nil
    case .revision(let expected): revision.map { Revision($0) } == expected
    case .any: true
    }
  }

  /// Writes an entry, or removes it when there is no value.
  ///
  /// - Returns: whether that changed anything.
  func write(_ value: [UInt8]?, at path: String, revision: Int64) throws(SQLiteError) -> Bool {
    if let value {
      try connection.run(
        "INSERT INTO entries (path, revision, value) VALUES (?1, ?2, ?3) "
          + "ON CONFLICT (path) DO UPDATE SET revision = excluded.revision, value = excluded.value",
        .text(path), .integer(revision), .bytes(value)
      )
    } else {
      try connection.run("DELETE FROM entries WHERE path = ?1", .text(path))
      guard connection.changes > 0 else { return false }
    }
    try connection.run("INSERT OR IGNORE INTO changes VALUES (?1, ?2)", .integer(revision), .text(path))
    return true
  }

  // MARK: History

  /// The revision of the last commit; 0 before the first.
  func revision() throws(SQLiteError) -> Int64 {
    try connection.number("SELECT max(revision) FROM changes") ?? 0
  }

  /// The first commit whose changes are still known.
  func firstKnownRevision() throws(SQLiteError) -> Int64 {
    try connection.number("SELECT min(revision) FROM changes") ?? 1
  }

  /// What tells this store from another one that was at its path before.
  func identity() throws(SQLiteError) -> String {
    var identity = ""
    try connection.rows("SELECT identity FROM store") { row in
      identity = row.text(0)
      return false
    }
    return identity
  }

  /// The entries in some ranges of paths that commits after a revision wrote, each once, in the order of their last
  /// changes.
  ///
  /// - Parameters:
  ///   - revision: the last commit that does not count.
  ///   - ranges: the first and the last path of each.
  /// - Returns: the paths, with the commits that wrote them last.
  /// - Throws: ``SQLiteError`` when the store cannot be read.
  func changes(
    after revision: Int64, in ranges: [(first: String, last: String)]
  ) throws(SQLiteError) -> [(path: String, revision: Int64)] {
    guard !ranges.isEmpty else { return [] }
    let places = ranges.indices.map { "path BETWEEN ?\(2 * $0 + 2) AND ?\(2 * $0 + 3)" }
    var bindings: [Binding] = [.integer(revision)]
    for range in ranges { bindings += [.text(range.first), .text(range.last)] }
    var changes: [(path: String, revision: Int64)] = []
    try connection.rows(
      "SELECT path, max(revision) AS newest FROM changes WHERE revision > ?1 AND (\(places.joined(separator: " OR "))) "
        + "GROUP BY path ORDER BY newest, path",
      bindings
    ) { row in
      changes.append((row.text(0), row.integer(1)))
      return true
    }
    return changes
  }

  /// Forgets the oldest changes, once in a while: each time it costs a page of the log.
  func trimHistory(at revision: Int64) throws(SQLiteError) {
    guard revision.isMultiple(of: 64) else { return }
    try connection.run("DELETE FROM changes WHERE revision <= ?1", .integer(revision - Self.keptCommits))
  }
}
