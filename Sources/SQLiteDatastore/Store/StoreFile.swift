import Datastore

/// The file of a store: how it is made, opened and brought to the version of this program.
struct StoreFile: Sendable {
  let path: String
  let options: SQLiteDatastore.Options
  let schema: Schema

  /// A connection, and the file it was opened on.
  struct Opened {
    let connection: Connection
    let file: FileIdentity
    /// Whether commits go to a log beside the file; false when another tool has changed that.
    var hasLog: Bool

    /// Gives the file its log back.
    mutating func ensureLog() throws(SQLiteError) {
      guard !hasLog else { return }
      try connection.run("PRAGMA journal_mode=WAL")
      hasLog = true
    }
  }

  /// Opens the store, unless its file is empty.
  ///
  /// - Parameters:
  ///   - present: the file at the path, as it was just seen.
  ///   - deadline: how long SQLite may wait for others.
  /// - Returns: the store; nil when the file is empty.
  /// - Throws: ``DatastoreError`` of the code `unusable` for a file that is not a store of ours; it stays as it is.
  func open(_ present: DatabaseFiles.Present, deadline: Deadline) throws(DatastoreError) -> Opened? {
    guard present.size > 0 else { return nil }
    let connection: Connection
    let head: FileHead
    do throws(SQLiteError) {
      connection = try Connection(path, options.access == .readOnly ? .read : .write)
      head = FileHead(try connection.head(FileHead.size))
    } catch {
      throw error.described(attempt: "open", path: path)
    }
    try head.validate(path, schema)
    do throws(SQLiteError) {
      connection.takeOverCheckpoints()
      connection.setPatience(until: deadline)
      try connection.setCacheSize(kilobytes: options.cacheKilobytes)
    } catch {
      throw error.described(attempt: "open", path: path)
    }
    return Opened(connection: connection, file: present.file, hasLog: head.hasLog)
  }

  /// Makes the store if there is none, under the gate.
  ///
  /// It is made under another name, so that it appears with its tables or not at all.
  func create() throws(DatastoreError) {
    if let present = try DatabaseFiles.present(at: path), present.size > 0 { return }
    let draft = path + ".new"
    // Of a process that was killed here, or of a store whose file alone was removed: a log left behind would be taken
    // for the new file's own.
    for base in [draft, path] {
      for suffix in ["-wal", "-shm", "-journal"] { try DatabaseFiles.remove(base + suffix, for: path) }
    }
    try DatabaseFiles.remove(draft, for: path)
    try DatabaseFiles.makeFile(draft, mode: 0o640, group: options.group, for: path)
    do throws(SQLiteError) {
      let connection = try Connection(draft, .write)
      try connection.setSynchronous(.full)
      try connection.run("BEGIN IMMEDIATE")
      try connection.run("PRAGMA application_id=\(Schema.applicationID)")
      try schema.apply(to: connection, from: 0)
      try connection.run("COMMIT")
      // The file remembers it. Closing this connection puts all that is in the log into the file and removes the log.
      try connection.run("PRAGMA journal_mode=WAL")
    } catch {
      throw error.described(attempt: "create", path: path)
    }
    try DatabaseFiles.replace(path, with: draft)
  }
}
