import CalicoModel
import Datastore
import Testing

@testable import SQLiteDatastore

@Suite("Versions of a SQLite store")
struct SchemaTests {
  let scratch: ScratchStore
  let next = Schema(
    steps: Schema.current.steps + [["ALTER TABLE entries ADD COLUMN note TEXT", "CREATE TABLE more (x TEXT) STRICT"]])

  init() throws { scratch = try ScratchStore() }

  @Test("an older file is brought up to date by the first who uses it", arguments: [true, false])
  func migrates(byReading: Bool) async throws {
    try await scratch.open().put((.configuration, "x"))
    let store = scratch.open(schema: next)
    if byReading {
      #expect(try await store.text(.configuration) == "x")
    } else {
      try await store.put((.handle("a"), "y"))
    }
    #expect(try store.number("PRAGMA user_version") == 2)
    #expect(try store.number("SELECT count(*) FROM more") == 0)
    #expect(try await store.text(.configuration) == "x")
  }

  @Test("a migration that fails leaves the file at its version")
  func failedMigration() async throws {
    let first = scratch.open()
    try await first.put((.configuration, "x"))
    let broken = Schema(steps: Schema.current.steps + [["CREATE TABLE more (x TEXT) STRICT", "nonsense"]])
    let error = await failure { _ = try await scratch.open(schema: broken).get(.configuration) }
    #expect(error?.code == .unusable)
    #expect(error?.description.contains("nonsense") == true)
    #expect(try first.number("PRAGMA user_version") == 1)
    #expect(try first.number("SELECT count(*) FROM sqlite_schema WHERE name = 'more'") == 0)
    #expect(try await first.text(.configuration) == "x")
  }

  @Test("a newer file is refused and left as it is", arguments: [true, false])
  func newer(isCheckpointed: Bool) async throws {
    try await scratch.open().put((.configuration, "x"))
    let later = scratch.open(schema: next)
    try await later.put((.handle("a"), "y"))
    if isCheckpointed { try later.run("PRAGMA wal_checkpoint(TRUNCATE)") }
    let bytes = scratch.bytes()
    let log = scratch.bytes("-wal")
    let store = scratch.open()
    let read = await failure { _ = try await store.get(.configuration) }
    let write = await failure { try await store.put((.configuration, "y")) }
    #expect(read?.code == .unusable)
    #expect(read == write)
    #expect(read?.description.contains("has version 2, and this program knows versions up to 1") == true)
    #expect(scratch.bytes() == bytes)
    #expect(scratch.bytes("-wal") == log)
  }

  @Test("one who has the file open notices that it became newer")
  func becomesNewer() async throws {
    let store = scratch.open()
    try await store.put((.configuration, "x"))
    _ = try await scratch.open(schema: next).get(.configuration)
    let error = await failure { try await store.put((.configuration, "y")) }
    #expect(error?.description.contains("has version 2") == true)
  }

  @Test("one who only reads does not bring a file up to date")
  func readOnly() async throws {
    try await scratch.open().put((.configuration, "x"))
    let reader = scratch.open(.readOnly, schema: next)
    let error = await failure { _ = try await reader.get(.configuration) }
    #expect(error?.code == .unusable)
    #expect(try reader.number("PRAGMA user_version") == 1)
  }
}
