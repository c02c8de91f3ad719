import CalicoModel
import Datastore
import SQLiteDatastore
import Testing

@Suite("Commits to SQLite")
struct CommitTests {
  let scratch: ScratchStore
  let store: SQLiteDatastore

  init() throws {
    scratch = try ScratchStore()
    store = scratch.open()
  }

  @Test("the first commit makes the store, and its entries are there for others")
  func first() async throws {
    let outcome = try await store.put((.handle("a"), "1"), (.configuration, "2"))
    #expect(outcome == .applied([.handle("a"): Revision(1), .configuration: Revision(1)]))
    let other = scratch.open()
    let stored = try await other.get(.handle("a"))
    #expect(stored == Stored(bytes: Array("1".utf8), revision: Revision(1)))
    #expect(try await other.get(.handle("b")) == nil)
  }

  @Test("each commit counts once, whatever it writes, and an entry's revision is that of its last write")
  func revisions() async throws {
    try await store.put((.handle("a"), "1"), (.handle("b"), "1"))
    #expect(try await store.put((.handle("b"), "2")) == .applied([.handle("b"): Revision(2)]))
    #expect(try await store.get(.handle("a"))?.revision == Revision(1))
    #expect(try await store.get(.handle("b"))?.revision == Revision(2))
  }

  @Test("a commit that changes nothing does not count")
  func nothing() async throws {
    try await store.put((.handle("a"), "1"))
    #expect(try await store.put((.handle("missing"), nil)) == .applied([:]))
    #expect(try await store.commit(Plan(), deadline: .soon) == .applied([:]))
    #expect(try await store.put((.handle("a"), "1")) == .applied([.handle("a"): Revision(2)]))
  }

  @Test(
    "a base that does not hold is a conflict, and nothing is written",
    arguments: [
      (Key.handle("present"), Base.absent, true),
      (.handle("present"), .revision(Revision(1)), false),
      (.handle("present"), .revision(Revision(2)), true),
      (.handle("present"), .revision(Revision("other")), true),
      (.handle("present"), .any, false),
      (.handle("missing"), .absent, false),
      (.handle("missing"), .revision(Revision(1)), true),
      (.handle("missing"), .any, false),
    ] as [(Key, Base, Bool)]
  )
  func bases(key: Key, base: Base, isConflict: Bool) async throws {
    try await store.put((.handle("present"), "old"))
    for final in [Change.Final.value(.text("new")), .delete] {
      let scratch = try ScratchStore()
      let store = scratch.open()
      try await store.put((.handle("present"), "old"))
      let plan = Plan([
        Change(.configuration, base: .absent, final: .value(.text("first"))),
        Change(key, base: base, final: final),
      ])
      let outcome = try await store.commit(plan, deadline: .soon)
      if isConflict {
        #expect(outcome == .conflict(key, applied: []))
        #expect(try await store.text(.configuration) == nil)
        #expect(try await store.text(.handle("present")) == "old")
      } else {
        #expect(try await store.text(.configuration) == "first")
        #expect(try await store.text(key) == (final == .delete ? nil : "new"))
      }
    }
  }

  @Test("the first change that does not hold is the one that is told")
  func firstConflict() async throws {
    try await store.put((.handle("a"), "1"), (.handle("b"), "1"))
    let plan = Plan(["b", "a"].map { Change(.handle($0), base: .absent, final: .delete) })
    #expect(try await store.commit(plan, deadline: .soon) == .conflict(.handle("b"), applied: []))
  }

  @Test("an intermediate value is left out")
  func staged() async throws {
    let change = Change(.handle("a"), base: .absent, staged: .text("staged"), final: .value(.text("final")))
    #expect(try await store.commit(Plan([change]), deadline: .soon) == .applied([.handle("a"): Revision(1)]))
    #expect(try await store.text(.handle("a")) == "final")
  }

  @Test("an entry may be empty, large, and named with any text")
  func values() async throws {
    let large = String(repeating: "x", count: 1 << 20)
    try await store.put((.handle("empty"), ""), (.handle("large"), large), (.handle("ü\0€'\""), "odd"))
    let other = scratch.open()
    #expect(try await other.get(.handle("empty"))?.bytes == [])
    #expect(try await other.text(.handle("large")) == large)
    #expect(try await other.text(.handle("ü\0€'\"")) == "odd")
  }

  @Test("two who write in turns see each other's entries")
  func twoConnections() async throws {
    let stores = [store, scratch.open()]
    for round in 0..<20 {
      let stored = try await stores[round % 2].get(.handle("counter"))
      let base: Base = stored.map { .revision($0.revision) } ?? .absent
      let plan = Plan([Change(.handle("counter"), base: base, final: .value(.text(String(round))))])
      let revision = Revision(Int64(round + 1))
      #expect(try await stores[round % 2].commit(plan, deadline: .soon) == .applied([.handle("counter"): revision]))
    }
    #expect(try await store.text(.handle("counter")) == "19")
  }

  @Test("many who write at once lose nothing")
  func concurrent() async throws {
    let scratch = scratch
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<4 {
        group.addTask {
          let store = scratch.open()
          for number in 0..<25 {
            while true {
              let stored = try await store.get(.configuration)
              let count = stored.flatMap { Int(String(decoding: $0.bytes, as: UTF8.self)) } ?? 0
              let base: Base = stored.map { .revision($0.revision) } ?? .absent
              let plan = Plan([
                Change(.configuration, base: base, final: .value(.text(String(count + 1)))),
                Change(.handle("\(task)-\(number)"), base: .absent, final: .value(.text("x"))),
              ])
              if case .applied = try await store.commit(plan, deadline: .soon) { break }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await store.text(.configuration) == "100")
    #expect(try await store.list(Listing(.handles, .keys)).items.count == 100)
  }

  @Test("when there is no time left nothing is tried")
  func late() async throws {
    let deadline = Deadline(nanoseconds: 1)
    let write = await failure { _ = try await store.commit(Plan(), deadline: deadline) }
    let read = await failure { _ = try await store.read([], deadline: deadline) }
    #expect(write?.code == .unavailable)
    #expect(read?.code == .unavailable)
    #expect(scratch.names("state").isEmpty)
  }
}
