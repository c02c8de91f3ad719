import CalicoModel
import Datastore
import Glibc
import Testing

@testable import SQLiteDatastore

@Suite("Watching SQLite")
struct WatchTests {
  let scratch: ScratchStore
  let store: SQLiteDatastore

  init() throws {
    scratch = try ScratchStore()
    store = scratch.open()
  }

  /// Events as text, up to and with a bookmark.
  private func events(_ iterator: inout WatchStream.Iterator) async throws -> ([String], WatchCursor?) {
    var texts: [String] = []
    while let event = try await iterator.next() {
      switch event {
      case .snapshot(let kind, let items, _):
        texts.append("snapshot \(kind): " + items.map { "\($0.key)=\(text($0.stored))" }.joined(separator: " "))
      case .change(let key, let stored): texts.append("change \(key)=\(text(stored))")
      case .bookmark(let cursor): return (texts, cursor)
      }
    }
    return (texts, nil)
  }

  private func text(_ stored: Stored?) -> String { stored.map { String(decoding: $0.bytes, as: UTF8.self) } ?? "gone" }

  @Test("first what there is, then each change, and after each batch the position")
  func snapshotThenChanges() async throws {
    try await store.put((.handle("a"), "1"), (.configuration, "c"), (.host("h"), "m"), (.handle("b"), "2"))
    var iterator = store.watch([.handles, .configuration, .affinities], from: nil).makeAsyncIterator()
    #expect(
      try await events(&iterator).0 == [
        "snapshot configuration: IPAMConfigKey()=c", "snapshot affinities: IPAMHostKey(host=h)=m",
        "snapshot handles: IPAMHandleKey(id=a)=1 IPAMHandleKey(id=b)=2",
      ])
    try await scratch.open().put((.handle("a"), nil), (.block("10.0.0.0/26"), "not watched"))
    #expect(try await events(&iterator).0 == ["change IPAMHandleKey(id=a)=gone"])
    try await store.put((.handle("a"), "again"))
    #expect(try await events(&iterator).0 == ["change IPAMHandleKey(id=a)=again"])
  }

  @Test("a watch that has rested for long still sees a commit")
  func rests() async throws {
    try await store.put((.handle("a"), "1"))
    var iterator = store.watch([.handles], from: nil).makeAsyncIterator()
    _ = try await events(&iterator)
    try scratch.age()
    try await Task.sleep(for: .milliseconds(200))
    try await scratch.open().put((.handle("a"), "2"))
    #expect(try await events(&iterator).0 == ["change IPAMHandleKey(id=a)=2"])
  }

  @Test("commits leave traces: old ones are settled, fresh ones and those of a future are not")
  func traces() async throws {
    try await store.put((.handle("a"), "1"))
    let before = FileTraces(of: scratch.path)
    #expect(!before.isSettled)
    #expect(FileTraces(of: scratch.path, now: time(nil) + 60).isSettled)
    #expect(!FileTraces(of: scratch.path, now: time(nil) - 60).isSettled)
    #expect(FileTraces(of: scratch.path) == before)
    try await store.put((.handle("a"), "2"))
    #expect(FileTraces(of: scratch.path) != before)
    #expect(!FileTraces(of: scratch.path + "-none").isSettled)
  }

  @Test("a watch rests while no commit leaves a trace, but not for ever, and not behind a fresh one")
  func rest() async throws {
    try await store.put((.handle("a"), "1"))
    let (fresh, old) = (FileTraces(of: scratch.path), FileTraces(of: scratch.path, now: time(nil) + 60))
    var rest = WatchRest()
    func ends(_ traces: [FileTraces]) -> [Bool] { traces.map { rest.ends(with: $0) } }
    #expect(ends([fresh, fresh, old]) == [true, true, true])
    #expect(ends(Array(repeating: old, count: WatchRest.longest)).allSatisfy { !$0 })
    #expect(ends([old, old]) == [true, false])
    try await store.put((.handle("a"), "2"))
    #expect(ends([FileTraces(of: scratch.path)]) == [true])
  }

  @Test("several changes of an entry that nobody looked at become one")
  func coalesces() async throws {
    try await store.put((.handle("a"), "1"))
    var iterator = store.watch([.handles], from: nil).makeAsyncIterator()
    _ = try await events(&iterator)
    for number in 0..<5 { try await store.put((.handle("a"), "\(number)"), (.handle("b"), "\(number)")) }
    try await store.put((.handle("a"), "last"))
    // The watch does not run while nobody asks for its next event.
    #expect(try await events(&iterator).0 == ["change IPAMHandleKey(id=b)=4", "change IPAMHandleKey(id=a)=last"])
  }

  @Test("a stream goes on where another one ended")
  func resumes() async throws {
    try await store.put((.handle("a"), "1"))
    var first = store.watch([.handles], from: nil).makeAsyncIterator()
    let cursor = try await events(&first).1
    try await store.put((.handle("b"), "2"))
    var second = scratch.open().watch([.handles], from: cursor).makeAsyncIterator()
    #expect(try await events(&second).0 == ["change IPAMHandleKey(id=b)=2"])
    var third = scratch.open().watch([.handles, .blocks], from: cursor).makeAsyncIterator()
    #expect(try await events(&third).0 == ["snapshot blocks: ", "change IPAMHandleKey(id=b)=2"])
  }

  @Test("a stream with nothing new tells its position")
  func nothingNew() async throws {
    try await store.put((.handle("a"), "1"))
    var first = store.watch([.handles], from: nil).makeAsyncIterator()
    let cursor = try await events(&first).1
    var second = store.watch([.handles], from: cursor).makeAsyncIterator()
    let (texts, position) = try await events(&second)
    #expect(texts.isEmpty)
    #expect(position == cursor)
  }

  @Test("whoever comes back too late gets what there is")
  func trimmed() async throws {
    try await store.put((.handle("a"), "1"))
    var first = store.watch([.handles], from: nil).makeAsyncIterator()
    let cursor = try await events(&first).1
    for number in 0..<Int(EntryTable.keptCommits) + 64 { try await store.put((.handle("a"), "\(number)")) }
    #expect(try store.number("SELECT count(*) FROM changes").map { $0 <= EntryTable.keptCommits + 64 } == true)
    var second = store.watch([.handles], from: cursor).makeAsyncIterator()
    #expect(try await events(&second).0 == ["snapshot handles: IPAMHandleKey(id=a)=1087"])
  }

  @Test("a store that appears later is told as changes, one that takes the place of another from the start")
  func appears() async throws {
    var iterator = store.watch([.handles], from: nil).makeAsyncIterator()
    #expect(try await events(&iterator).0 == ["snapshot handles: "])
    #expect(scratch.names("state").isEmpty)
    try await scratch.open().put((.handle("a"), "1"))
    #expect(try await events(&iterator).0 == ["change IPAMHandleKey(id=a)=1"])
    for name in scratch.names("state") { unlink(scratch.directory + "/state/" + name) }
    try await scratch.open().put((.handle("b"), "1"))
    #expect(try await events(&iterator).0 == ["snapshot handles: IPAMHandleKey(id=b)=1"])
  }

  @Test("a watch of quiet entries tells its position once in a while")
  func quiet() async throws {
    try await store.put((.handle("a"), "1"))
    var iterator = store.watch([.blocks], from: nil).makeAsyncIterator()
    let first = try await events(&iterator).1
    let store = store
    let writer = Task {
      while !Task.isCancelled { try await store.put((.handle("a"), "2")); try await Task.sleep(for: .milliseconds(1)) }
    }
    let (texts, position) = try await events(&iterator)
    writer.cancel()
    #expect(texts.isEmpty)
    #expect(position != first)
  }

  @Test("a watch of single keys asks for changes of their kind alone, and between them")
  func ranges() async throws {
    let keys: Set<Key> = [.block("10.0.0.0/26"), .block("10.0.1.0/26")]
    let scope = WatchScope(WatchInterest([.configuration, .affinities], keys: keys.union([.configuration])))
    #expect(scope.keys.map(\.key) == [.block("10.0.0.0/26"), .block("10.0.1.0/26")])
    let owner = BlockOwner(.host, "n")
    try await store.put((.handle("a"), "1"), (.block("10.0.2.0/26"), "1"), (.block("10.0.0.128/26"), "1"))
    try await store.put((.block("10.0.1.0/26"), "1"), (.affinity(owner, .text("10.0.0.0/26")), "1"), (.host("n"), "1"))
    try await store.put((.configuration, "c"), (.resource(.node, "n"), "1"), (.handle("b"), "1"))
    let changes = try store.reading(.soon) { (connection) throws(SQLiteError) in
      try EntryTable(connection: connection).changes(after: 0, in: scope.ranges).map(\.path)
    }
    let paths = try #require(changes).map { $0.dropFirst("/calico/ipam/v2/".count) }
    #expect(
      paths == [
        "assignment/ipv4/block/10.0.0.128-26", "assignment/ipv4/block/10.0.1.0-26", "host/n",
        "host/n/ipv4/block/10.0.0.0-26", "config",
      ])
  }

  @Test("a key of a store that appears later is told as a change, and one of a store that is gone as absent")
  func keysOfNoStore() async throws {
    let key = Key.block("10.0.0.0/26")
    var iterator = store.watch(WatchInterest([], keys: [key]), from: nil).makeAsyncIterator()
    #expect(try await events(&iterator).0 == ["change BlockKey(cidr=10.0.0.0/26)=gone"])
    try await scratch.open().put((key, "1"))
    #expect(try await events(&iterator).0 == ["change BlockKey(cidr=10.0.0.0/26)=1"])
    for name in scratch.names("state") { unlink(scratch.directory + "/state/" + name) }
    #expect(try await events(&iterator).0 == ["change BlockKey(cidr=10.0.0.0/26)=gone"])
  }

  @Test("a cancelled watch ends")
  func cancelled() async throws {
    let store = store
    let task = Task {
      var count = 0
      for try await _ in store.watch([.handles], from: nil) { count += 1 }
      return count
    }
    task.cancel()
    #expect(try await task.value <= 2)
  }

  @Test("a store that is lost ends the watch with an error")
  func lost() async throws {
    try await store.put((.handle("a"), "1"))
    var iterator = store.watch([.handles], from: nil).makeAsyncIterator()
    _ = try await events(&iterator)
    unlink(scratch.path)
    scratch.write(Array("no database".utf8))
    await #expect(throws: DatastoreError.self) { _ = try await iterator.next() }
  }
}
