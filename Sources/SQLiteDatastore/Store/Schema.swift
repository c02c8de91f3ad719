/// The tables, as the steps that led to them: step n makes version n + 1 of version n.
///
/// A step that has been released is never edited; a change is a new step.
struct Schema: Sendable {
  /// The statements of each step.
  let steps: [[String]]

  /// The version that these steps lead to, which a file of theirs carries as its `user_version`.
  var version: Int { steps.count }

  /// What marks a file as ours: "SIPM", in its `application_id`.
  static let applicationID: UInt32 = 0x5349_504D

  /// What this program reads and writes.
  ///
  /// * `store`: one row; the identity tells a file from the one that was there before.
  /// * `entries`: Calico's entries. A table with row IDs, because the index of the paths then holds no values: listing
  ///   keys reads a page for some dozens of them, whatever they hold. The revision stands before the value, so that
  ///   comparing does not read the value's pages.
  /// * `changes`: which entries each of the last commits wrote. The newest row is the store's revision.
  /// * `attachments`: evidence; see ``AttachmentEvidence``.
  static let current = Schema(steps: [
    [
      "CREATE TABLE store (identity TEXT NOT NULL) STRICT",
      "INSERT INTO store VALUES (lower(hex(randomblob(16))))",
      "CREATE TABLE entries (path TEXT NOT NULL PRIMARY KEY, revision INTEGER NOT NULL, value BLOB NOT NULL) STRICT",
      "CREATE TABLE changes (revision INTEGER NOT NULL, path TEXT NOT NULL, PRIMARY KEY (revision, path)) "
        + "STRICT, WITHOUT ROWID",
      "CREATE TABLE attachments (handle TEXT NOT NULL, interface TEXT NOT NULL, network TEXT NOT NULL, "
        + "container TEXT NOT NULL, machine_id TEXT NOT NULL, boot_id TEXT NOT NULL, namespace_path TEXT, "
        + "namespace_device INTEGER, namespace_inode INTEGER, recorded_at INTEGER NOT NULL, "
        + "PRIMARY KEY (handle, interface)) STRICT, WITHOUT ROWID",
    ]
  ])

  /// How a file's version relates to this one.
  enum Standing {
    case current
    case older
    case newer(Int)
  }

  func standing(of version: Int) -> Standing {
    if version == self.version { return .current }
    return version < self.version ? .older : .newer(version)
  }

  /// Brings an older file to this version in one transaction: wholly or not at all.
  func migrate(_ connection: Connection) throws(SQLiteError) {
    try connection.setSynchronous(.full)
    try connection.run("BEGIN IMMEDIATE")
    do throws(SQLiteError) {
      let version = try Self.version(connection)
      if case .older = standing(of: version) { try apply(to: connection, from: version) }
      try connection.run("COMMIT")
    } catch {
      connection.rollBack()
      throw error
    }
  }

  /// Makes the steps that a file of an earlier version lacks, inside the caller's transaction.
  func apply(to connection: Connection, from version: Int) throws(SQLiteError) {
    for step in steps[version...] {
      for statement in step { try connection.run(statement) }
    }
    try connection.run("PRAGMA user_version=\(self.version)")
  }

  /// The version of a file, in the transaction at hand.
  static func version(_ connection: Connection) throws(SQLiteError) -> Int {
    Int(try connection.number("PRAGMA user_version") ?? 0)
  }
}
