import CalicoModel
import Datastore
import IPAddressing
import KubernetesClient
import Testing

@testable import KubernetesDatastore

@Suite("Faults of watches")
struct WatchFaultTests {
  private static func store(_ transport: ScriptedTransport) -> KubernetesDatastore {
    var options = KubernetesDatastore.Options()
    options.apiGroup = "crd.projectcalico.org/v1"
    return KubernetesDatastore(transport, options: options)
  }

  /// Reads until all handles are these.
  private static func read(
    _ store: KubernetesDatastore, from cursor: WatchCursor? = nil, until wanted: [String: Int]
  ) async throws -> (snapshots: Int, changes: Int, cursor: WatchCursor?) {
    var events = store.watch([.handles], from: cursor).makeAsyncIterator()
    var state: [String: Int] = [:]
    var result: (snapshots: Int, changes: Int, cursor: WatchCursor?) = (0, 0, nil)
    while let event = try await events.next() {
      switch event {
      case .snapshot(_, let items, _):
        result.snapshots += 1
        state = [:]
        for item in items { state[Self.name(item.key)] = try item.stored?.handle().count(.v4) }
      case .change(let key, let stored):
        result.changes += 1
        state[Self.name(key)] = try stored?.handle().count(.v4)
      case .bookmark(let cursor):
        result.cursor = cursor
        if state == wanted { return result }
      }
    }
    return result
  }

  private static func name(_ key: Key) -> String {
    if case .handle(let name) = key { name } else { "?" }
  }

  @Test("a watch whose connection is lost goes on where it was")
  func lostConnection() async throws {
    let transport = ScriptedTransport(
      streams: [
        .success(.init([[HandleText.event("ADDED", HandleText.object("b", version: 12))]], .isLost)),
        .success(.init([[HandleText.event("MODIFIED", HandleText.object("b", version: 15, count: 2))]], .waits)),
      ]
    ) { _ in .ok(HandleText.list([HandleText.object("a", version: 9)], version: 10)) }
    let read = try await Self.read(Self.store(transport), until: ["a": 1, "b": 2])
    #expect(read.snapshots == 1)
    #expect(read.cursor?.positions[.handles] == Revision("15"))
    let watches = transport.requests.filter { $0.contains("watch=1") }
    #expect(watches.count == 2)
    #expect(watches[0].contains("resourceVersion=10"))
    #expect(watches[0].contains("allowWatchBookmarks=true"))
    #expect(watches[1].contains("resourceVersion=12"))
  }

  @Test("a watch goes on from the last bookmark")
  func bookmarks() async throws {
    let transport = ScriptedTransport(
      streams: [
        .success(.init([[HandleText.bookmark(40)]])),
        .success(.init([[HandleText.event("ADDED", HandleText.object("b", version: 41))]], .waits)),
      ]
    ) { _ in .ok(HandleText.list([], version: 10)) }
    _ = try await Self.read(Self.store(transport), until: ["b": 1])
    #expect(transport.requests.last?.contains("resourceVersion=40") == true)
  }

  @Test("a version that has expired is followed by everything anew", arguments: [false, true])
  func expired(isRefused: Bool) async throws {
    let first: Result<ScriptedTransport.Lines, ScriptedTransport.RefusedStream> =
      isRefused
      ? .failure(.init(response: .status(410, reason: "Expired")))
      : .success(.init([[HandleText.error(410, "Expired")]]))
    let transport = ScriptedTransport(streams: [first, .success(.init([], .waits))]) { _ in
      .ok(HandleText.list([HandleText.object("a", version: 20)], version: 30))
    }
    let cursor = WatchCursor([.handles: Revision("5")])
    let read = try await Self.read(Self.store(transport), from: cursor, until: ["a": 1])
    #expect(read.snapshots == 1)
    #expect(transport.requests.first?.contains("resourceVersion=5") == true)
    #expect(read.cursor?.positions[.handles] == Revision("30"))
  }

  @Test("an object that is marked as deleted is gone, and its end is not told twice")
  func halfDeleted() async throws {
    let transport = ScriptedTransport(
      streams: [
        .success(
          .init(
            [
              [HandleText.event("MODIFIED", HandleText.object("a", version: 11, isDeleted: true))],
              [HandleText.event("DELETED", HandleText.object("a", version: 12, isDeleted: true))],
              [HandleText.event("ADDED", HandleText.object("a", version: 13, count: 5))],
            ], .waits))
      ]
    ) { _ in .ok(HandleText.list([HandleText.object("a", version: 9)], version: 10)) }
    let read = try await Self.read(Self.store(transport), until: ["a": 5])
    #expect(read.changes <= 2)
  }

  @Test("a watch that is forbidden ends with an error that names the rule to add")
  func forbidden() async throws {
    let transport = ScriptedTransport(
      streams: [.failure(.init(response: .status(403, reason: "Forbidden", message: "User x cannot watch")))]
    ) { _ in .ok(HandleText.list([], version: 10)) }
    let error = await #expect(throws: DatastoreError.self) {
      _ = try await Self.read(Self.store(transport), until: ["never": 1])
    }
    #expect(error?.code == .forbidden)
    #expect(error?.advice.contains("verbs [watch]") == true)
  }

  @Test("a collection without a definition has nothing in it")
  func missingDefinition() async throws {
    let transport = ScriptedTransport { _ in KubernetesResponse(status: 404, body: Array("404 page not found".utf8)) }
    let read = try await Self.read(Self.store(transport), until: [:])
    #expect(read.snapshots == 1)
  }

  @Test("pauses after failures grow up to ten seconds, and end")
  func pauses() {
    var failures = WatchFailures()
    let pauses = (0..<10).compactMap { _ in failures.pause() }
    #expect(pauses.count == 10)
    #expect(pauses[0] <= .milliseconds(200))
    #expect(pauses.allSatisfy { $0 >= .milliseconds(100) && $0 <= .seconds(10) })
    #expect(pauses[9] >= .seconds(5))
    failures.reset()
    #expect(failures.pause().map { $0 <= .milliseconds(200) } == true)
  }

  @Test("many single entries of a kind are watched together")
  func manyKeys() {
    let few = WatchFeed.all(WatchInterest([.blocks], keys: [.handle("a"), .handle("b")]))
    #expect(few.count == 3)
    #expect(Set(few.compactMap(\.fieldSelector)) == ["metadata.name=a", "metadata.name=b"])
    let many = WatchFeed.all(WatchInterest([], keys: Set((0..<100).map { .handle("h\($0)") })))
    #expect(many.count == 1)
    #expect(many[0].fieldSelector == nil)
  }
}
