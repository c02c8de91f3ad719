import CSQLite
import CalicoModel
import Datastore
import Glibc
import Testing

@testable import SQLiteDatastore

@Suite("The file of a SQLite store")
struct StoreFileTests {
  let scratch: ScratchStore

  init() throws { scratch = try ScratchStore() }

  /// What reading and writing say, which must be the same.
  private func refusal(_ store: SQLiteDatastore) async throws -> DatastoreError {
    let read = await failure { _ = try await store.get(.configuration) }
    let write = await failure { try await store.put((.configuration, "x")) }
    #expect(read?.code == write?.code)
    return try #require(write)
  }

  @Test("reading where there is no store finds nothing and makes nothing")
  func missing() async throws {
    for access in [SQLiteDatastore.Options.Access.readWrite, .readOnly] {
      let store = scratch.open(access)
      #expect(try await store.get(.configuration) == nil)
      #expect(try await store.list(Listing(.blocks(nil))).items.isEmpty)
    }
    #expect(scratch.names("").isEmpty)
  }

  @Test("the file has mode 0640 whatever the mask is, and so have the log and its index; the gate is the owner's")
  func modes() async throws {
    let mask = umask(0o077)
    defer { umask(mask) }
    let group = getegid()
    let store = scratch.open { $0.group = group }
    try await store.put((.configuration, "x"))
    #expect(scratch.names("state") == ["ipam.db", "ipam.db-shm", "ipam.db-wal", "ipam.db.lock"])
    for (suffix, mode) in [("", 0o640), ("-wal", 0o640), ("-shm", 0o640), (".lock", 0o600)] as [(String, mode_t)] {
      #expect(scratch.status(suffix).st_mode & 0o7777 == mode, "\(suffix)")
      #expect(scratch.status(suffix).st_gid == group, "\(suffix)")
    }
    var directory = stat()
    stat(scratch.directory + "/state", &directory)
    #expect(directory.st_mode & 0o7777 == 0o755)
  }

  @Test("the log and its index get the group of the file", .enabled(if: geteuid() == 0))
  func group() async throws {
    let store = scratch.open { $0.group = 4242 }
    try await store.put((.configuration, "x"))
    for suffix in ["", "-wal", "-shm"] { #expect(scratch.status(suffix).st_gid == 4242) }
  }

  @Test("a new store has our mark, a log, strict tables and its version")
  func format() async throws {
    let store = scratch.open()
    try await store.put((.configuration, "x"))
    let head = FileHead(scratch.bytes())
    #expect(head.applicationID == Schema.applicationID)
    #expect(head.version == 1)
    #expect(head.hasLog)
    #expect(
      try store.number("SELECT count(*) FROM pragma_table_list WHERE strict = 0 AND name NOT LIKE 'sqlite_%'") == 0)
    #expect(try store.number("PRAGMA foreign_keys") == 1)
  }

  @Test("commits wait for the disk when the plan asks for it")
  func durability() async throws {
    let store = scratch.open()
    try await store.put((.configuration, "x"))
    #expect(try store.number("PRAGMA synchronous") == 1)
    try await store.put((.configuration, "x"), durability: .disk)
    #expect(try store.number("PRAGMA synchronous") == 2)
    try await store.put((.configuration, "x"))
    #expect(try store.number("PRAGMA synchronous") == 1)
  }

  @Test("a file that is no database is refused and left as it is")
  func notADatabase() async throws {
    for bytes in [Array("hello".utf8), [UInt8](repeating: 0, count: 8192), Array(repeating: 0x53, count: 5000)] {
      scratch.write(bytes)
      let error = try await refusal(scratch.open())
      #expect(error.code == .unusable)
      #expect(error.description.contains("\(scratch.path) is not an SQLite file"))
      #expect(scratch.bytes() == bytes)
      #expect(scratch.names("state") == ["ipam.db", "ipam.db.lock"])
    }
  }

  @Test("a database of another program is refused and left as it is", arguments: ["DELETE", "WAL"])
  func notOurs(journal: String) async throws {
    try makeDatabase("PRAGMA journal_mode=\(journal); CREATE TABLE t (x); INSERT INTO t VALUES (1);")
    let bytes = scratch.bytes()
    let error = try await refusal(scratch.open())
    #expect(error.code == .unusable)
    #expect(error.description.contains("another program"))
    #expect(scratch.bytes() == bytes)
    #expect(scratch.names("state") == ["ipam.db", "ipam.db.lock"])
  }

  @Test("a directory in the place of the file is refused")
  func directory() async throws {
    mkdir(scratch.directory + "/state", 0o755)
    mkdir(scratch.path, 0o755)
    defer { rmdir(scratch.path) }
    #expect(try await refusal(scratch.open()).code == .unusable)
  }

  @Test("a damaged file is refused and left as it is")
  func damaged() async throws {
    let store = scratch.open()
    for number in 0..<200 { try await store.put((.handle(String(number)), String(repeating: "x", count: 500))) }
    try store.run("PRAGMA wal_checkpoint(TRUNCATE)")
    let whole = scratch.bytes()
    var broken = whole
    for page in 1..<broken.count / 4096 {
      broken.replaceSubrange(page * 4096..<page * 4096 + 64, with: repeatElement(0xFF, count: 64))
    }
    for bytes in [broken, Array(whole.prefix(4096)), Array(whole.prefix(100))] {
      unlink(scratch.path + "-wal")
      unlink(scratch.path + "-shm")
      scratch.write(bytes)
      let error = try await refusal(scratch.open())
      #expect(error.code == .unusable)
      #expect(error.description.contains(scratch.path))
      #expect(!error.advice.isEmpty)
      #expect(scratch.bytes() == bytes)
    }
  }

  @Test("an empty file is no store yet")
  func empty() async throws {
    scratch.write([])
    let store = scratch.open()
    #expect(try await store.get(.configuration) == nil)
    try await store.put((.configuration, "x"))
    #expect(try await scratch.open().text(.configuration) == "x")
  }

  @Test("what a killed maker and a removed store left behind is not taken for a part of the new one")
  func leftovers() async throws {
    try await scratch.open().put((.configuration, "old"))
    let log = scratch.bytes("-wal")
    #expect(!log.isEmpty)
    unlink(scratch.path)
    let draft = Glibc.open(scratch.path + ".new", O_WRONLY | O_CREAT, 0o600)
    Glibc.write(draft, "half", 4)
    close(draft)
    let store = scratch.open()
    try await store.put((.handle("new"), "x"))
    #expect(try await store.get(.configuration) == nil)
    #expect(scratch.names("state") == ["ipam.db", "ipam.db-shm", "ipam.db-wal", "ipam.db.lock"])
  }

  @Test("a store that was replaced is the one that is read")
  func replaced() async throws {
    let store = scratch.open()
    try await store.put((.configuration, "old"))
    for name in scratch.names("state") { unlink(scratch.directory + "/state/" + name) }
    #expect(try await store.get(.configuration) == nil)
    try await scratch.open().put((.configuration, "new"))
    #expect(try await store.text(.configuration) == "new")
  }

  @Test("a store that lost its log mode gets it back with the next commit")
  func logMode() async throws {
    try await scratch.open().put((.configuration, "x"))
    try makeDatabase("PRAGMA journal_mode=DELETE;")
    #expect(!FileHead(scratch.bytes()).hasLog)
    let store = scratch.open()
    #expect(try await store.text(.configuration) == "x")
    try await store.put((.configuration, "y"))
    #expect(FileHead(scratch.bytes()).hasLog)
  }

  @Test("one who only reads sees what others write, and may write nothing")
  func readOnly() async throws {
    try await scratch.open().put((.configuration, "x"))
    let reader = scratch.open(.readOnly)
    #expect(try await reader.text(.configuration) == "x")
    let error = await failure { try await reader.put((.configuration, "y")) }
    #expect(error?.code == .forbidden)
  }

  @Test("a full file system is told as such, and changes nothing")
  func full() async throws {
    let store = scratch.open()
    try await store.put((.configuration, "x"))
    try store.run("PRAGMA max_page_count=10")
    let large = String(repeating: "x", count: 200_000)
    let error = await failure { try await store.put((.handle("a"), "small"), (.handle("b"), large)) }
    #expect(error?.code == .unavailable)
    #expect(error?.advice.contains("make room") == true)
    #expect(try await store.get(.handle("a")) == nil)
    #expect(try await store.put((.handle("a"), "small")) == .applied([.handle("a"): Revision(2)]))
  }

  @Test(
    "a commit that failed is open only where the device failed",
    arguments: [
      (SQLITE_FULL, false), (SQLITE_BUSY, false), (SQLITE_NOMEM, false), (SQLITE_IOERR | 2 << 8, true),
      (SQLITE_IOERR | 4 << 8, true), (SQLITE_CORRUPT, true),
    ] as [(Int32, Bool)]
  )
  func openCommits(code: Int32, isOpen: Bool) {
    #expect(SQLiteError(code, of: nil).leavesCommitOpen == isOpen)
  }

  @Test("the log does not grow beyond its limit by more than a commit")
  func logLimit() async throws {
    let value = String(repeating: "x", count: 16_000)
    var largest = 0
    for number in 0..<100 {
      try await scratch.open().put((.handle(String(number % 10)), value))
      largest = max(largest, Int(scratch.status("-wal").st_size))
    }
    #expect(largest > 700_000)
    #expect(largest < 900_000)
  }

  @Test("a reader in the middle of the log delays its emptying and nothing else")
  func readerDelaysCheckpoint() async throws {
    let store = scratch.open()
    try await store.put((.configuration, "x"))
    let reader = scratch.open()
    try reader.run("BEGIN")
    #expect(try reader.number("SELECT count(*) FROM entries") == 1)
    let value = String(repeating: "x", count: 16_000)
    for number in 0..<100 { try await store.put((.handle(String(number % 10)), value)) }
    #expect(scratch.status("-wal").st_size > 900_000)
    #expect(try reader.number("SELECT count(*) FROM entries") == 1)
    try reader.run("COMMIT")
    try await store.put((.handle("0"), value))
    #expect(scratch.status("-wal").st_size == 0)
  }

  private func makeDatabase(_ sql: String) throws {
    mkdir(scratch.directory + "/state", 0o755)
    var connection: OpaquePointer?
    sqlite3_open(scratch.path, &connection)
    #expect(sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK)
    sqlite3_close(connection)
  }
}
