import CalicoModel
import Datastore
import Testing

@Suite("Watching the store in memory")
struct InMemoryWatchTests {
  /// What is told until the next bookmark: `snapshot`, or the name of a handle, with `-` before a deleted one.
  private func told(_ iterator: inout WatchStream.Iterator) async throws -> (events: [String], cursor: WatchCursor) {
    var events: [String] = []
    while let event = try await iterator.next() {
      switch event {
      case .snapshot(_, let items, _): events.append("snapshot of \(items.count)")
      case .change(.handle(let name), let stored): events.append((stored == nil ? "-" : "") + name)
      case .change(let key, _): events.append("\(key)")
      case .bookmark(let cursor): return (events, cursor)
      }
    }
    return (events, WatchCursor([:]))
  }

  private func put(_ names: String..., in store: InMemoryDatastore) {
    for name in names { store.put([], at: "/calico/ipam/v2/handle/" + name) }
  }

  @Test("each entry is told once, in the order of the last changes")
  func coalescing() async throws {
    let store = InMemoryDatastore()
    var iterator = store.watch([.handles], from: nil).makeAsyncIterator()
    #expect(try await told(&iterator).events == ["snapshot of 0"])
    put("a", "b", "a", "c", "b", "a", in: store)
    store.put(nil, at: "/calico/ipam/v2/handle/c")
    #expect(try await told(&iterator).events == ["b", "a", "-c"])
    put("d", in: store)
    #expect(try await told(&iterator).events == ["d"])
  }

  @Test("a cursor within the log is followed without a snapshot, and one beyond it is not")
  func gaps() async throws {
    let store = InMemoryDatastore(changeLogCapacity: 2)
    var iterator = store.watch([.handles], from: nil).makeAsyncIterator()
    let start = try await told(&iterator).cursor
    put("a", "b", in: store)
    var second = store.watch([.handles], from: start).makeAsyncIterator()
    #expect(try await told(&second).events == ["a", "b"])
    put("c", "d", "e", "f", in: store)
    var third = store.watch([.handles], from: start).makeAsyncIterator()
    #expect(try await told(&third).events == ["snapshot of 6"])
    #expect(try await told(&iterator).events == ["snapshot of 6"])
    put("g", in: store)
    #expect(try await told(&third).events == ["g"])
  }

  @Test("the log keeps as many changes as it must")
  func capacity() async throws {
    let store = InMemoryDatastore(changeLogCapacity: 8)
    var iterator = store.watch([.handles], from: nil).makeAsyncIterator()
    for round in 0..<10 {
      _ = try await told(&iterator)
      for number in 0..<8 { put("\(round)-\(number)", in: store) }
    }
    #expect(try await told(&iterator).events == (0..<8).map { "9-\($0)" })
  }

  @Test("a quiet kind needs no snapshot because of a busy one, and a cursor from the future is not followed")
  func positions() async throws {
    let store = InMemoryDatastore(changeLogCapacity: 1)
    var iterator = store.watch([.handles, .blocks], from: nil).makeAsyncIterator()
    #expect(try await told(&iterator).events == ["snapshot of 0", "snapshot of 0"])
    for name in ["a", "b", "c", "d"] {
      put(name, in: store)
      #expect(try await told(&iterator).events == [name])
    }
    store.put([], at: "/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-26")
    #expect(try await told(&iterator).events == ["BlockKey(cidr=10.65.0.0/26)"])
    var ahead = store.watch([.handles], from: WatchCursor([.handles: Revision(99)])).makeAsyncIterator()
    #expect(try await told(&ahead).events == ["snapshot of 4"])
  }

  @Test("what lies under a path that is not its key's is not told")
  func foreignEntries() async throws {
    let store = InMemoryDatastore()
    let historic = "/calico/ipam/v2/@/node1/ipv4/block/10.65.0.0-26"
    store.put([], at: historic)
    var iterator = store.watch([.affinities, .handles], from: nil).makeAsyncIterator()
    #expect(try await told(&iterator).events == ["snapshot of 0", "snapshot of 0"])
    store.put([1], at: historic)
    store.put([], at: "/calico/ipam/v2/handle/a/b")
    put("a", in: store)
    #expect(try await told(&iterator).events == ["a"])
  }

  @Test("of all changes of one revision none is forgotten alone")
  func oneRevision() async throws {
    let store = InMemoryDatastore(changeLogCapacity: 2)
    var iterator = store.watch([.handles], from: nil).makeAsyncIterator()
    let start = try await told(&iterator).cursor
    let changes = ["a", "b", "c", "d", "e"].map {
      Change(.handle($0), base: .absent, final: .value(.handle(IPAMHandle())))
    }
    _ = try await store.commit(Plan(changes), deadline: .distantFuture)
    var later = store.watch([.handles], from: start).makeAsyncIterator()
    #expect(try await told(&later).events == ["snapshot of 5"])
    #expect(try await told(&iterator).events == ["snapshot of 5"])
  }
}
