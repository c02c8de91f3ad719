import CSQLite
import Datastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What SQLite answered to a call that failed, and to which.
struct SQLiteError: Error, Hashable {
  /// The extended result code (https://www.sqlite.org/rescode.html).
  let code: Int32
  /// SQLite's own words.
  let message: String
  /// The statement that failed; empty when it was another call.
  let sql: String
  /// The error number of the system call that failed, or 0.
  let systemError: Int32

  /// The kind of failure: the low byte of the extended code.
  var primaryCode: Int32 { code & 0xFF }

  /// The state of a connection whose last call failed.
  init(_ code: Int32, of connection: OpaquePointer?, sql: String = "") {
    self.code = code
    message =
      connection.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? String(cString: sqlite3_errstr(code))
    self.sql = sql
    systemError = connection.map { sqlite3_system_errno($0) } ?? 0
  }

  /// Whether a COMMIT that failed so may have been done all the same. The last write of a commit is what makes it; one
  /// that found no room was not done, one that ended in an error of the device may lie in the file, for a recovery to
  /// find.
  var leavesCommitOpen: Bool {
    switch primaryCode {
    case SQLITE_FULL, SQLITE_BUSY, SQLITE_NOMEM, SQLITE_INTERRUPT, SQLITE_CONSTRAINT, SQLITE_READONLY: false
    default: true
    }
  }

  /// The failure as callers are told: what was attempted on which file, what SQLite said, and what to do.
  func described(attempt: String, path: String) -> DatastoreError {
    // SQLite's words for these two would send the reader after a lock that he cannot see.
    if primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED {
      return DatastoreError(
        .unavailable,
        "cannot \(attempt) \(path): another program keeps it from being used (SQLite code \(code))",
        advice: "find it with: fuser -v \(path) \(path)-wal; a shell of sqlite3 with an open transaction does this"
      )
    }
    var text = "cannot \(attempt) \(path): \(message) (SQLite code \(code)"
    if systemError != 0, let reason = strerror(systemError) { text += ", \(String(cString: reason))" }
    text += ")"
    if !sql.isEmpty { text += " at \(sql)" }
    let (code, advice) = remedy(path)
    return DatastoreError(code, text, advice: advice)
  }

  private func remedy(_ path: String) -> (DatastoreError.Code, advice: String) {
    switch primaryCode {
    case SQLITE_FULL,
      SQLITE_IOERR where systemError == ENOSPC || primaryCode == SQLITE_FULL:
      (.unavailable, "nothing was changed; make room on the file system of \(path)")
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      (
        .unusable,
        "the file was left as it is; move \(path), \(path)-wal and \(path)-shm away together, then put a backup in "
          + "place or begin with an empty store"
      )
    case SQLITE_PERM, SQLITE_AUTH, SQLITE_READONLY:
      (.forbidden, Self.permissionAdvice(path))
    case SQLITE_CANTOPEN where [0, EACCES, EPERM, EROFS, ENOENT].contains(systemError):
      (.forbidden, Self.permissionAdvice(path))
    case SQLITE_ERROR, SQLITE_MISMATCH, SQLITE_CONSTRAINT, SQLITE_SCHEMA:
      (.unusable, "the tables in \(path) are not those that swift-ipam makes; something else has changed them")
    default:
      (.unavailable, "see the kernel's log for errors of the device under \(path)")
    }
  }

  /// What to do when the caller may not open the store: readers need the log and its index as well as the file.
  static func permissionAdvice(_ path: String) -> String {
    "to write, be root; to read, be at least a member of the group of \(path), \(path)-wal and \(path)-shm; where one "
      + "of these is missing, any command of root that writes to the store makes it"
  }
}
