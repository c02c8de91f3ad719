import CSQLite
import Datastore

/// An open database with its prepared statements. Used by one thread at a time.
final class Connection {
  private let handle: OpaquePointer
  private var statements: [String: Statement] = [:]
  private var synchronous: Synchronous?
  /// How many pages the log held after the last commit; written by SQLite through the pointer.
  private let framesInLog: UnsafeMutablePointer<Int32>

  /// When SQLite waits for the disk (https://www.sqlite.org/pragma.html#pragma_synchronous).
  enum Synchronous: String {
    /// At checkpoints alone: power loss costs the newest commits.
    case normal = "NORMAL"
    /// At each commit.
    case full = "FULL"
  }

  enum Mode {
    case read
    case write
  }

  /// Opens a file that exists.
  ///
  /// A file that this process may not write is opened for reading all the same.
  init(_ path: String, _ mode: Mode) throws(SQLiteError) {
    let access = mode == .write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(path, &handle, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard code == SQLITE_OK, let handle else {
      let error = SQLiteError(code, of: handle)
      sqlite3_close_v2(handle)
      throw error
    }
    self.handle = handle
    framesInLog = .allocate(capacity: 1)
    framesInLog.initialize(to: 0)
    // Their results tell of misuse only.
    _ = csqlite_set_lookaside(handle, 0, 0)
    _ = csqlite_enforce_foreign_keys(handle)
  }

  deinit {
    for statement in statements.values { statement.finalize() }
    sqlite3_close_v2(handle)
    framesInLog.deallocate()
  }

  /// Limits how many pages are kept in memory. Reads the tables' definitions, and so may fail.
  func setCacheSize(kilobytes: Int) throws(SQLiteError) { try run("PRAGMA cache_size=-\(kilobytes)") }

  /// Leaves checkpoints to ``truncateLog()``: neither a commit nor the end of the connection makes one, because each
  /// costs several waits for the disk.
  func takeOverCheckpoints() {
    _ = csqlite_keep_log_on_close(handle)
    // In place of SQLite's own hook, which makes a checkpoint every 1,000 pages.
    sqlite3_wal_hook(
      handle,
      { frames, _, _, count in
        frames?.assumingMemoryBound(to: Int32.self).pointee = count
        return SQLITE_OK
      },
      framesInLog
    )
  }

  /// How long SQLite itself waits for others, which is the safety net below the gate.
  func setPatience(until deadline: Deadline) {
    sqlite3_busy_timeout(handle, Int32(clamping: max(1, min(deadline.millisecondsLeft, 60_000))))
  }

  func setSynchronous(_ level: Synchronous) throws(SQLiteError) {
    guard synchronous != level else { return }
    try run("PRAGMA synchronous=\(level.rawValue)")
    synchronous = level
  }

  // MARK: Statements

  /// Runs a statement that answers nothing that matters.
  func run(_ sql: String, _ bindings: Binding...) throws(SQLiteError) {
    try statement(sql).run(bindings) { _ in true }
  }

  /// Runs a statement, giving each row to `body` until it answers false.
  func rows(_ sql: String, _ bindings: Binding..., body: (borrowing Row) -> Bool) throws(SQLiteError) {
    try rows(sql, bindings, body: body)
  }

  /// The same for as many parameters as there happen to be.
  func rows(_ sql: String, _ bindings: [Binding], body: (borrowing Row) -> Bool) throws(SQLiteError) {
    try statement(sql).run(bindings, body)
  }

  /// The first column of the first row, a number; nil when there is no row, or NULL in it.
  func number(_ sql: String, _ bindings: Binding...) throws(SQLiteError) -> Int64? {
    var number: Int64?
    try statement(sql).run(bindings) { row in
      number = row.isNull(0) ? nil : row.integer(0)
      return false
    }
    return number
  }

  /// How many rows the last statement changed.
  var changes: Int { Int(sqlite3_changes(handle)) }

  private func statement(_ sql: String) throws(SQLiteError) -> Statement {
    if let statement = statements[sql] { return statement }
    let statement = try Statement(sql, on: handle)
    statements[sql] = statement
    return statement
  }

  /// Runs `body` on one state of the file.
  func snapshot<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
    try run("BEGIN")
    do throws(SQLiteError) {
      let result = try body()
      try run("COMMIT")
      return result
    } catch {
      rollBack()
      throw error
    }
  }

  /// Ends a transaction without its changes, if SQLite has not done so already.
  func rollBack() {
    guard sqlite3_get_autocommit(handle) == 0 else { return }
    // What it cannot undo now, whoever opens the log next will ignore.
    try? run("ROLLBACK")
  }

  // MARK: File

  /// The first bytes of the file, zeros where it is shorter.
  func head(_ count: Int) throws(SQLiteError) -> [UInt8] {
    var code = SQLITE_OK
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      buffer.initialize(repeating: 0)
      code = csqlite_read_head(handle, buffer.baseAddress, Int32(count))
      initialized = count
    }
    guard code == SQLITE_OK else { throw SQLiteError(code, of: handle) }
    return bytes
  }

  /// The bytes in the log as of the last commit of this connection.
  var logSize: Int { Int(framesInLog.pointee) * (4096 + 24) }

  /// Moves the log into the file and empties it, unless somebody is reading what is in it.
  func truncateLog() {
    sqlite3_busy_timeout(handle, 0)
    // A checkpoint that cannot be had now is had by a later commit.
    let code = sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
    if code == SQLITE_OK { framesInLog.pointee = 0 }
  }
}
