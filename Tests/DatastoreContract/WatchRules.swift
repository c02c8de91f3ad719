import CalicoModel
import Datastore
import IPAddressing
import Testing

// Streams of changes.

extension DatastoreContract {
  static let watchRules = [
    Rule("a watch begins with a snapshot of each kind, and a bookmark", snapshots),
    Rule("changes follow the snapshot in their order, deletions as absence", changesInOrder),
    Rule("a watch that waits learns of a change when it is made", waiting),
    Rule("changes that nobody has looked at yet become one, and none is forgotten", unseenChanges),
    Rule("a watch tells of its kinds only", kindsApart),
    Rule("a watch goes on where the cursor of an earlier one stands", resumption),
    Rule("a watch with a cursor that cannot be followed begins with a snapshot", unknownCursors),
    Rule("two watches do not take events from one another", twoWatches),
    Rule("a watch ends when its task is cancelled", cancellation),
  ]

  private static func snapshots(_ store: ContractStore) async throws {
    try await store.create(.block("10.65.0.0/26"), .block("10.65.0.0/26"))
    try await store.create(.affinity("node1", "10.65.0.0/26"), .affinity(.confirmed))
    try await store.create(.affinity("node1", "10.65.0.64/26"), .affinity(.pending))
    try await store.create(.handle("a"), .handle(holding: 1))
    try await within(seconds: 60) {
      var reader = WatchReader(store.store.watch([.blocks, .affinities, .configuration], from: nil))
      try await reader.readUpToBookmark()
      while reader.snapshots.count < 3 { try await reader.readUpToBookmark() }
      #expect(Set(reader.snapshots) == [.blocks, .affinities, .configuration])
      #expect(
        Set(reader.state.keys) == [
          try .block("10.65.0.0/26"), try .affinity("node1", "10.65.0.0/26"), try .affinity("node1", "10.65.0.64/26"),
        ])
      #expect(try reader.state[.affinity("node1", "10.65.0.64/26")]?.affinity().state == .pending)
      let cursor = try #require(reader.cursor)
      #expect(Set(cursor.positions.keys) == [.blocks, .affinities, .configuration])
    }
  }

  private static func changesInOrder(_ store: ContractStore) async throws {
    let key = try Key.affinity("node1", "10.65.0.0/26")
    try await within(seconds: 60) {
      var reader = WatchReader(store.store.watch([.affinities], from: nil))
      try await reader.readUpToBookmark()
      #expect(reader.state.isEmpty)
      let first = try await store.create(key, .affinity(.pending))
      try await reader.read { $0.last?.key == key }
      #expect(try reader.state[key]?.affinity().state == .pending)
      #expect(reader.state[key]?.revision == first)
      try await store.apply(key, base: .revision(first), .value(.affinity(.confirmed)))
      try await reader.read { try $0.last?.stored?.affinity().state == .confirmed }
      // A revision that a watch told of is one to write with.
      let told = try #require(reader.state[key]).revision
      try await store.apply(key, base: .revision(told), .delete)
      try await reader.read { $0.last?.stored == nil }
      #expect(reader.state.isEmpty)
      #expect(reader.changes.map(\.key) == [key, key, key])
    }
  }

  private static func waiting(_ store: ContractStore) async throws {
    try await within(seconds: 60) {
      let reading = Task {
        var reader = WatchReader(store.store.watch([.handles], from: nil))
        while reader.state.count < 3 { try await reader.readUpToBookmark() }
      }
      for name in ["a", "b", "c"] {
        // Time to begin to wait; whoever has not begun by then finds the change all the same.
        try await Task.sleep(for: .milliseconds(50))
        try await store.create(.handle(name), .handle(holding: 1))
      }
      try await reading.value
    }
  }

  private static func unseenChanges(_ store: ContractStore) async throws {
    try await within(seconds: 60) {
      var reader = WatchReader(store.store.watch([.handles], from: nil))
      try await reader.readUpToBookmark()
      for count in 1...20 {
        try await store.apply(.handle("often"), base: .any, .value(.handle(holding: count)))
      }
      try await store.create(.handle("gone"), .handle(holding: 1))
      try await store.apply(.handle("gone"), base: .any, .delete)
      try await store.create(.handle("last"), .handle(holding: 1))
      try await reader.read { $0.last?.key == .handle("last") }
      #expect(try reader.state[.handle("often")]?.handle().count(.v4) == 20)
      #expect(Set(reader.state.keys) == [.handle("often"), .handle("last")])
    }
  }

  private static func kindsApart(_ store: ContractStore) async throws {
    try await within(seconds: 60) {
      var reader = WatchReader(store.store.watch([.handles], from: nil))
      try await reader.readUpToBookmark()
      try await store.create(.block("10.65.0.0/26"), .block("10.65.0.0/26"))
      try await store.create(.resource(.ipPool, "pool1"), .pool("pool1", "10.65.0.0/16"))
      try await store.create(.handle("a"), .handle(holding: 1))
      try await reader.read { $0.last?.key == .handle("a") }
      #expect(reader.changes.map(\.key) == [.handle("a")])
      #expect(reader.snapshots == [.handles])
    }
  }

  private static func resumption(_ store: ContractStore) async throws {
    for name in ["kept", "changed", "deleted"] { try await store.create(.handle(name), .handle(holding: 1)) }
    try await within(seconds: 60) {
      var reader = WatchReader(store.store.watch([.handles], from: nil))
      try await reader.readUpToBookmark()
      try await store.apply(.handle("changed"), base: .any, .value(.handle(holding: 2)))
      try await store.apply(.handle("deleted"), base: .any, .delete)
      try await store.create(.handle("new"), .handle(holding: 1))
      var later = WatchReader(store.store.watch([.handles], from: reader.cursor), state: reader.state)
      while later.state[.handle("new")] == nil { try await later.readUpToBookmark() }
      #expect(Set(later.state.keys) == [.handle("kept"), .handle("changed"), .handle("new")])
      #expect(try later.state[.handle("changed")]?.handle().count(.v4) == 2)
    }
  }

  private static func unknownCursors(_ store: ContractStore) async throws {
    try await store.create(.handle("a"), .handle(holding: 1))
    try await within(seconds: 60) {
      let cursor = WatchCursor([.handles: Revision("never given out")])
      var reader = WatchReader(store.store.watch([.handles], from: cursor))
      try await reader.readUpToBookmark()
      #expect(reader.snapshots == [.handles])
      #expect(Set(reader.state.keys) == [.handle("a")])
    }
  }

  private static func twoWatches(_ store: ContractStore) async throws {
    try await within(seconds: 60) {
      let stream = store.store.watch([.handles], from: nil)
      // Two iterations of one stream are two watches as well.
      var readers = [
        WatchReader(stream), WatchReader(stream), WatchReader(store.store.watch([.handles], from: nil)),
      ]
      for index in readers.indices { try await readers[index].readUpToBookmark() }
      try await store.create(.handle("a"), .handle(holding: 1))
      for index in readers.indices {
        try await readers[index].read { $0.last?.key == .handle("a") }
        #expect(readers[index].snapshots == [.handles])
      }
    }
  }

  private static func cancellation(_ store: ContractStore) async throws {
    try await within(seconds: 60) {
      let task = Task {
        var reader = WatchReader(store.store.watch([.handles], from: nil))
        // Nothing is written, so this ends with the stream only.
        while true { try await reader.readUpToBookmark() }
      }
      // Once at the start of the wait and, as likely, once within it.
      try await Task.sleep(for: .milliseconds(50))
      task.cancel()
      await #expect(throws: (any Error).self) { try await task.value }
    }
  }
}
