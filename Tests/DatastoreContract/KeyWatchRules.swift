import CalicoModel
import Datastore
import Testing

// Streams of changes of single entries.

extension DatastoreContract {
  static let keyWatchRules = [
    Rule("a key that is watched by itself is told at the start, as it is or as absent", keysAtTheStart),
    Rule("a watch of keys tells of their changes, and of no other entry of the kind", otherKeys),
    Rule("a key is told with its kind when that is watched", keysOfWatchedKinds),
    Rule("a watch of more keys goes on where a cursor stands, and tells the new ones as they are", moreKeys),
    Rule("a key that a cursor cannot be followed for is told as it is", lostKeys),
    Rule("a watch of keys that waits learns of a change when it is made", waitingForKey),
  ]

  private static func keysAtTheStart(_ store: ContractStore) async throws {
    let (present, absent) = (try Key.block("10.65.0.0/26"), try Key.block("10.65.0.64/26"))
    try await store.create(present, .block("10.65.0.0/26"))
    try await store.create(.block("10.65.0.128/26"), .block("10.65.0.128/26"))
    try await within(seconds: 60) {
      var reader = WatchReader(store.store.watch(WatchInterest([.handles], keys: [present, absent]), from: nil))
      while reader.changes.count < 2 || reader.snapshots.isEmpty { try await reader.readUpToBookmark() }
      #expect(reader.snapshots == [.handles])
      #expect(Set(reader.changes.map(\.key)) == [present, absent])
      #expect(Set(reader.state.keys) == [present])
      let cursor = try #require(reader.cursor)
      #expect(Set(cursor.positions.keys) == [.handles])
      #expect(Set(cursor.keys.keys) == [present, absent])
    }
  }

  private static func otherKeys(_ store: ContractStore) async throws {
    let keys = try ["10.65.0.0/26", "10.65.0.128/26"].map { try Key.block($0) }
    try await within(seconds: 60) {
      var reader = WatchReader(store.store.watch(WatchInterest([], keys: Set(keys)), from: nil))
      while reader.changes.count < 2 { try await reader.readUpToBookmark() }
      try await store.create(.block("10.65.0.64/26"), .block("10.65.0.64/26"))
      try await store.create(.handle("a"), .handle(holding: 1))
      let first = try await store.create(keys[0], .block("10.65.0.0/26"))
      try await reader.read { $0.last?.key == keys[0] }
      #expect(reader.state[keys[0]]?.revision == first)
      try await store.apply(keys[0], base: .revision(first), .delete)
      try await store.create(keys[1], .block("10.65.0.128/26"))
      try await reader.read { $0.last?.key == keys[1] && $0.contains { $0.key == keys[0] && $0.stored == nil } }
      #expect(Set(reader.changes.map(\.key)) == Set(keys))
      #expect(Set(reader.state.keys) == [keys[1]])
      #expect(reader.snapshots.isEmpty)
    }
  }

  private static func keysOfWatchedKinds(_ store: ContractStore) async throws {
    let key = try Key.block("10.65.0.0/26")
    try await store.create(key, .block("10.65.0.0/26"))
    try await within(seconds: 60) {
      var reader = WatchReader(store.store.watch(WatchInterest([.blocks], keys: [key]), from: nil))
      try await reader.readUpToBookmark()
      #expect(reader.snapshots == [.blocks])
      #expect(reader.changes.isEmpty)
      try await store.apply(key, base: .any, .value(.block("10.65.0.0/26", of: "node2")))
      try await reader.read { $0.last?.key == key }
      #expect(reader.changes.count == 1)
    }
  }

  private static func moreKeys(_ store: ContractStore) async throws {
    let (old, new) = (try Key.block("10.65.0.0/26"), try Key.block("10.65.0.64/26"))
    try await store.create(old, .block("10.65.0.0/26"))
    try await store.create(new, .block("10.65.0.64/26"))
    try await within(seconds: 60) {
      var reader = WatchReader(store.store.watch(WatchInterest([.handles], keys: [old]), from: nil))
      while reader.changes.isEmpty || reader.snapshots.isEmpty { try await reader.readUpToBookmark() }
      try await store.create(.handle("a"), .handle(holding: 1))
      let interest = WatchInterest([.handles], keys: [old, new])
      var later = WatchReader(store.store.watch(interest, from: reader.cursor), state: reader.state)
      while later.state[new] == nil || later.state[.handle("a")] == nil { try await later.readUpToBookmark() }
      #expect(later.snapshots.isEmpty)
      #expect(Set(later.changes.map(\.key)) == [.handle("a"), new])
      try await store.apply(old, base: .any, .delete)
      try await later.read { $0.last?.key == old }
      #expect(later.state[old] == nil)
    }
  }

  private static func lostKeys(_ store: ContractStore) async throws {
    let key = try Key.block("10.65.0.0/26")
    try await store.create(key, .block("10.65.0.0/26"))
    try await within(seconds: 60) {
      let cursor = WatchCursor([:], keys: [key: Revision("never given out")])
      var reader = WatchReader(store.store.watch(WatchInterest([], keys: [key]), from: cursor))
      try await reader.readUpToBookmark()
      #expect(reader.changes.map(\.key) == [key])
      #expect(reader.state[key] != nil)
    }
  }

  private static func waitingForKey(_ store: ContractStore) async throws {
    let key = try Key.affinity("node1", "10.65.0.0/26")
    try await within(seconds: 60) {
      let reading = Task {
        var reader = WatchReader(store.store.watch(WatchInterest([], keys: [key]), from: nil))
        while reader.state[key] == nil { try await reader.readUpToBookmark() }
      }
      // Time to begin to wait; whoever has not begun by then finds the change all the same.
      try await Task.sleep(for: .milliseconds(50))
      try await store.create(key, .affinity(.confirmed))
      try await reading.value
    }
  }
}
