import CalicoModel
import Datastore
import Glibc
import IPAddressing
import Testing

@testable import SQLiteDatastore

/// A directory that goes with the test, and the stores in it.
final class ScratchStore: Sendable {
  let directory: String
  var path: String { directory + "/state/ipam.db" }

  init() throws {
    var template = Array("/tmp/sqlite-datastore-test.XXXXXX".utf8CString)
    directory = String(cString: try #require(mkdtemp(&template)))
  }

  deinit {
    for name in names("state") { unlink(directory + "/state/" + name) }
    rmdir(directory + "/state")
    rmdir(directory)
  }

  /// A connection of its own to the store, as another process has it.
  func open(
    _ access: SQLiteDatastore.Options.Access = .readWrite,
    schema: Schema = .current,
    _ change: (inout SQLiteDatastore.Options) -> Void = { _ in }
  ) -> SQLiteDatastore {
    var options = SQLiteDatastore.Options(access: access, watchInterval: .milliseconds(5))
    change(&options)
    return SQLiteDatastore(path: path, options: options, schema: schema)
  }

  /// Makes the store's files look as if nobody had written to them for an hour.
  func age() throws {
    let times = [timeval](repeating: timeval(tv_sec: time(nil) - 3600, tv_usec: 0), count: 2)
    for name in names("state") { try #require(utimes(directory + "/state/" + name, times) == 0) }
  }

  /// The names in a directory below this one, sorted.
  func names(_ name: String) -> [String] {
    guard let stream = opendir(directory + "/" + name) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// The bytes of the store's file, or of one beside it.
  func bytes(_ suffix: String = "") -> [UInt8] {
    let file = Glibc.open(path + suffix, O_RDONLY)
    defer { close(file) }
    var bytes: [UInt8] = []
    while true {
      let piece = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
        count = max(0, read(file, buffer.baseAddress, 65536))
      }
      if piece.isEmpty { return bytes }
      bytes += piece
    }
  }

  /// Puts bytes where the store's file belongs.
  func write(_ bytes: [UInt8]) {
    mkdir(directory + "/state", 0o755)
    let file = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    _ = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
    close(file)
  }

  func status(_ suffix: String = "") -> stat {
    var status = stat()
    stat(path + suffix, &status)
    return status
  }
}

extension Deadline {
  /// Long enough for everything that a test waits for on purpose.
  static var soon: Deadline { .after(milliseconds: 20_000) }
}

extension Value {
  static func text(_ text: String) -> Value { .resource(Array(text.utf8)) }
}

extension Key {
  static func block(_ text: String) -> Key { .block(.text(text)) }
}

extension CIDR {
  /// A network that a test writes down; a slip of the pen is 0.0.0.0/32.
  static func text(_ text: String) -> CIDR { CIDR(text) ?? CIDR(host: IPAddress(v4: 0)) }
}

extension SQLiteDatastore {
  /// Writes entries whatever they are; nil deletes one.
  @discardableResult
  func put(_ entries: (Key, String?)..., durability: Plan.Durability = .process) async throws -> Outcome {
    let changes = entries.map { key, text in
      Change(key, base: .any, final: text.map { .value(.text($0)) } ?? .delete)
    }
    return try await commit(Plan(changes, durability: durability), deadline: .soon)
  }

  func get(_ key: Key) async throws -> Stored? {
    guard case .entry(let stored) = try await read([.entry(key)], deadline: .soon)[0] else { return nil }
    return stored
  }

  func text(_ key: Key) async throws -> String? {
    try await get(key).map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  func list(_ listing: Listing) async throws -> ListResult {
    guard case .list(let result) = try await read([.list(listing)], deadline: .soon)[0] else {
      return ListResult(items: [])
    }
    return result
  }

  /// Runs a statement on the store's own connection, as no caller can.
  func run(_ sql: String) throws {
    _ = try withOpened("prepare", .soon) { (opened) throws(SQLiteError) in try opened.connection.run(sql) }
  }

  func number(_ sql: String) throws -> Int64? {
    try withOpened("look at", .soon) { (opened) throws(SQLiteError) in try opened.connection.number(sql) } ?? nil
  }
}

/// The error that a call throws, or nil.
func failure(_ body: () async throws -> Void) async -> DatastoreError? {
  do {
    try await body()
    return nil
  } catch {
    return error as? DatastoreError
  }
}
