import CLinux
import Datastore
import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The turn to write: flock(2) on a file beside the database.
///
/// SQLite's own wait for the write lock sleeps and looks again, so that one of many writers may wait a second while
/// others pass; the kernel lets those who wait at the gate through in their order.
enum WriteGate {
  /// The gate of a database.
  static func path(of database: String) -> String { database + ".lock" }

  /// Waits for the turn, creating the gate's file when missing, and keeps it while `body` runs.
  static func pass<Result>(
    _ database: String,
    deadline: Deadline,
    _ body: () throws(DatastoreError) -> Result
  ) throws(DatastoreError) -> Result {
    let path = path(of: database)
    // Nobody but the owner: who may lock this file may keep every container from starting.
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .system("open", path, errno, database: database) }
    // Ends the turn as well, for nobody else has this open file.
    defer { close(file) }
    try lock(file, path, database, deadline)
    return try body()
  }

  private static func lock(
    _ file: Int32, _ path: String, _ database: String, _ deadline: Deadline
  ) throws(DatastoreError) {
    let (seconds, nanoseconds) = deadline.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    if clinux_lock_until(file, Int64(seconds), Int64(nanoseconds)) == 0 { return }
    let reason = errno
    guard reason == ETIMEDOUT else { throw .system("lock", path, reason, database: database) }
    let holder = LockHolder.process(of: file)
    throw DatastoreError(
      .unavailable,
      "waited in vain for the turn to write \(database); \(LockHolder.describe(file)) has \(path) locked",
      advice: holder.map { "see what process \($0) waits for, or end it" } ?? "find it with: fuser -v \(path)"
    )
  }
}
