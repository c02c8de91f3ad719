import CalicoModel
import Datastore
import DatastoreSettings
import EtcdDatastore
import IPAddressing
import Synchronization
import TestSupport
import Testing

/// Reads a stream to see what it tells.
private struct Reader {
  var iterator: WatchStream.Iterator
  var snapshots = 0
  var changes: [Key] = []
  var state: [Key: Stored] = [:]
  var cursor: WatchCursor?

  init(_ stream: WatchStream) {
    iterator = stream.makeAsyncIterator()
  }

  /// Reads until something is as it should be.
  mutating func read(until isEnough: (Reader) -> Bool) async throws {
    while !isEnough(self) {
      guard let event = try await iterator.next() else { return }
      switch event {
      case .snapshot(_, let items, _):
        snapshots += 1
        state = Dictionary(uniqueKeysWithValues: items.compactMap { item in item.stored.map { (item.key, $0) } })
      case .change(let key, let stored):
        changes.append(key)
        state[key] = stored
      case .bookmark(let cursor): self.cursor = cursor
      }
    }
  }
}

@Suite(
  "A watch of etcd outlives what befalls it", .serialized, .enabled(if: EtcdServer.isPossible, "needs etcd-server"),
  .timeLimit(.minutes(2)))
struct WatchFaultTests {
  private func store(at port: Int) throws -> EtcdDatastore {
    var settings = EtcdSettings()
    settings.endpoints = ["http://127.0.0.1:\(port)"]
    return try EtcdDatastore(settings)
  }

  @Test("after a cut connection it goes on where it stood")
  func cut() async throws {
    let server = try EtcdServer()
    let proxy = try await FaultyProxy(to: server.port)
    let direct = try store(at: server.port)
    _ = try await direct.put("a")
    var reader = Reader(try store(at: proxy.port).watch([.handles], from: nil))
    try await reader.read { $0.cursor != nil }
    proxy.control.cut()
    _ = try await direct.put("b")
    try await reader.read { $0.state.count == 2 }
    proxy.control.cut()
    _ = try await direct.put("c")
    try await reader.read { $0.state.count == 3 }
    #expect(reader.snapshots == 1)
    #expect(reader.changes == [.handle("b"), .handle("c")])
  }

  @Test("after a restart of the server it goes on where it stood")
  func restart() async throws {
    let server = try EtcdServer()
    let direct = try store(at: server.port)
    _ = try await direct.put("a")
    var reader = Reader(direct.watch([.handles, .affinities], from: nil))
    try await reader.read { $0.cursor != nil }
    server.stop()
    try server.start()
    let other = try store(at: server.port)
    _ = try await other.put("b")
    try await reader.read { $0.changes.contains(.handle("b")) }
    #expect(reader.snapshots == 2)
  }

  @Test("what was compacted while it was away becomes a snapshot")
  func compaction() async throws {
    let server = try EtcdServer()
    let proxy = try await FaultyProxy(to: server.port)
    let direct = try store(at: server.port)
    _ = try await direct.put("a")
    let watching = try store(at: proxy.port)
    var reader = Reader(watching.watch([.handles], from: nil))
    try await reader.read { $0.cursor != nil }
    proxy.control.set(.silence)
    for count in 2...5 { _ = try await direct.put("a", holding: count) }
    _ = try await direct.put("b")
    try server.control("compact", "6")
    proxy.control.cut()
    try await reader.read { $0.state.count == 2 }
    #expect(reader.snapshots == 2)
    #expect(try reader.state[.handle("a")]?.handle().count(.v4) == 5)
    // The bookmark is behind the snapshot.
    reader.cursor = nil
    try await reader.read { $0.cursor != nil }
    // A cursor of before begins with a snapshot as well, and the present one does not.
    let before = Revision("2", identity: reader.cursor?.positions[.handles]?.identity)
    var late = Reader(direct.watch([.handles], from: WatchCursor([.handles: before])))
    try await late.read { $0.snapshots == 1 && $0.state.count == 2 }
    var present = Reader(direct.watch([.handles], from: reader.cursor))
    _ = try await direct.put("c")
    try await present.read { $0.changes == [.handle("c")] }
    #expect(present.snapshots == 0)
  }

  @Test("a position in another cluster is none")
  func otherCluster() async throws {
    let servers = [try EtcdServer(), try EtcdServer()]
    var first = Reader(try store(at: servers[0].port).watch([.handles], from: nil))
    try await first.read { $0.cursor != nil }
    let cursor = try #require(first.cursor)
    let position = try #require(cursor.positions[.handles])
    // The clusters of equally named members have one number, so that the position has to be made another one.
    let other = WatchCursor([.handles: Revision(position.token, identity: "abc")])
    var second = Reader(try store(at: servers[1].port).watch([.handles], from: other))
    try await second.read { $0.cursor != nil }
    #expect(second.snapshots == 1)
    let future = WatchCursor([.handles: Revision("1000000", identity: position.identity)])
    var third = Reader(try store(at: servers[0].port).watch([.handles], from: future))
    try await third.read { $0.cursor != nil }
    #expect(third.snapshots == 1)
  }

  @Test("a cluster that cannot be reached at the start is told, and not waited for")
  func unreachable() async throws {
    let port = try LoopbackPort.free()
    var reader = Reader(try store(at: port).watch([.handles], from: nil))
    let error = try await failure { try await reader.read { $0.cursor != nil } }
    #expect(error.description == "cannot connect to etcd at http://127.0.0.1:\(port): connection refused")
  }

  @Test("many changes that nobody has looked at are held up in the server, and told as one of each entry")
  func slowReader() async throws {
    let server = try EtcdServer()
    let direct = try store(at: server.port)
    var reader = Reader(direct.watch([.resources(.ipPool)], from: nil))
    try await reader.read { $0.cursor != nil }
    let text = Array(repeating: UInt8(ascii: "x"), count: 100_000)
    for number in 0..<60 {
      let change = Change(.resource(.ipPool, "p\(number % 3)"), base: .any, final: .value(.resource(text)))
      _ = try await direct.commit(Plan([change]), deadline: .after(milliseconds: 10_000))
    }
    let last = Change(.resource(.ipPool, "last"), base: .absent, final: .value(.resource(Array("{}".utf8))))
    _ = try await direct.commit(Plan([last]), deadline: .after(milliseconds: 10_000))
    try await reader.read { $0.changes.last == .resource(.ipPool, "last") }
    #expect(reader.state.count == 4)
    #expect(reader.changes.count < 61)
  }
}
