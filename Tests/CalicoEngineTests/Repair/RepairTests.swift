import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import Testing

@Suite("Repairs of the datastore", .serialized)
struct RepairTests {
  /// Both ways in which a driver commits.
  static let stores = [true, false]

  private static let time = Timestamp(seconds: 1_786_698_753)
  private static let owner = BlockOwner(.host, "n1")
  private static let deadline = Deadline.distantFuture

  private static func put(_ key: Key, _ text: String, in store: InMemoryDatastore) async throws {
    let change = Change(key, base: .any, final: .value(.resource(Array(text.utf8))))
    _ = try await store.commit(Plan([change]), deadline: deadline)
  }

  private static func stored(_ key: Key, in store: InMemoryDatastore) async throws -> Stored? {
    guard case .entry(let stored)? = try await store.read([.entry(key)], deadline: deadline).first else { return nil }
    return stored
  }

  private static func cidr(_ text: String) throws -> CIDR { try #require(CIDR(text)) }

  /// A block that a handle has the first addresses of.
  private static func block(_ text: String, _ handle: String, _ count: Int, in store: InMemoryDatastore) async throws {
    let cidr = try cidr(text)
    var block = IPAMBlock(cidr: cidr, owner: owner, time: time)
    _ = block.assign(count, attribute: AllocationAttribute(handleID: handle))
    _ = try await store.commit(
      Plan([Change(.block(cidr), base: .any, final: .value(.block(block)))]), deadline: deadline)
  }

  private static func handle(_ name: String, _ counts: [String: Int], in store: InMemoryDatastore) async throws {
    var handle = IPAMHandle()
    for (text, count) in counts { handle.setCount(count, of: try cidr(text)) }
    _ = try await store.commit(
      Plan([Change(.handle(name), base: .any, final: .value(.handle(handle)))]), deadline: deadline)
  }

  private static func run<Op: Operation>(_ operation: Op, on store: InMemoryDatastore) async throws -> Op.Result {
    try await OperationRunner(store).run(operation, deadline: deadline)
  }

  // MARK: Handles

  @Test("a handle that counts too much counts what it holds, and its blocks are fenced", arguments: stores)
  func surplus(_ isAtomic: Bool) async throws {
    let store = InMemoryDatastore(commitsAtomically: isAtomic)
    try await Self.block("10.0.0.0/30", "h", 2, in: store)
    try await Self.block("10.0.0.4/30", "h", 1, in: store)
    try await Self.handle("h", ["10.0.0.0/30": 3, "10.0.0.4/30": 1, "10.0.0.8/30": 2], in: store)
    let revision = try #require(try await Self.stored(.handle("h"), in: store)).revision
    #expect(try await Self.run(RepairHandle("h", at: revision, blocks: []), on: store) == .repaired)
    let handle = try #require(try await Self.stored(.handle("h"), in: store)).handle()
    #expect(try handle.counts == [Self.cidr("10.0.0.0/30"): 2, Self.cidr("10.0.0.4/30"): 1])
    let first = try Self.cidr("10.0.0.0/30")
    let second = try Self.cidr("10.0.0.4/30")
    let start = UInt64(Self.time.nanoseconds)
    #expect(try await Self.stored(.block(first), in: store)?.block(first).sequenceNumber == start + 1)
    // Its count was right.
    #expect(try await Self.stored(.block(second), in: store)?.block(second).sequenceNumber == start)
  }

  @Test("a handle that holds nothing is deleted", arguments: stores)
  func empty(_ isAtomic: Bool) async throws {
    let store = InMemoryDatastore(commitsAtomically: isAtomic)
    try await Self.handle("h", ["10.0.0.0/30": 1], in: store)
    try await Self.handle("void", [:], in: store)
    for name in ["h", "void"] {
      let revision = try #require(try await Self.stored(.handle(name), in: store)).revision
      #expect(try await Self.run(RepairHandle(name, at: revision, blocks: []), on: store) == .repaired)
      #expect(try await Self.stored(.handle(name), in: store) == nil)
    }
  }

  @Test("a handle that is missing, or counts too little, gets its counts back", arguments: stores)
  func deficit(_ isAtomic: Bool) async throws {
    let store = InMemoryDatastore(commitsAtomically: isAtomic)
    try await Self.block("10.0.0.0/30", "h", 2, in: store)
    let cidr = try Self.cidr("10.0.0.0/30")
    #expect(try await Self.run(RepairHandle("h", at: nil, blocks: [cidr]), on: store) == .repaired)
    #expect(try await Self.stored(.handle("h"), in: store)?.handle().counts == [cidr: 2])
    try await Self.handle("h", ["10.0.0.0/30": 1], in: store)
    let revision = try #require(try await Self.stored(.handle("h"), in: store)).revision
    #expect(try await Self.run(RepairHandle("h", at: revision, blocks: [cidr]), on: store) == .repaired)
    #expect(try await Self.stored(.handle("h"), in: store)?.handle().counts == [cidr: 2])
  }

  @Test("a handle that has changed since it was seen is left alone", arguments: stores)
  func changed(_ isAtomic: Bool) async throws {
    let store = InMemoryDatastore(commitsAtomically: isAtomic)
    try await Self.handle("h", ["10.0.0.0/30": 1], in: store)
    let revision = try #require(try await Self.stored(.handle("h"), in: store)).revision
    try await Self.handle("h", ["10.0.0.0/30": 2], in: store)
    #expect(try await Self.run(RepairHandle("h", at: revision, blocks: []), on: store) == .changed)
    #expect(try await Self.run(RepairHandle("h", at: nil, blocks: []), on: store) == .changed)
    #expect(try await Self.run(RepairHandle("gone", at: revision, blocks: []), on: store) == .changed)
    #expect(try await Self.stored(.handle("h"), in: store) != nil)
  }

  @Test("a handle that counts what it holds is sound", arguments: stores)
  func sound(_ isAtomic: Bool) async throws {
    let store = InMemoryDatastore(commitsAtomically: isAtomic)
    try await Self.block("10.0.0.0/30", "h", 2, in: store)
    try await Self.handle("h", ["10.0.0.0/30": 2], in: store)
    let revision = try #require(try await Self.stored(.handle("h"), in: store)).revision
    #expect(try await Self.run(RepairHandle("h", at: revision, blocks: []), on: store) == .sound)
    #expect(try await Self.stored(.handle("h"), in: store)?.revision == revision)
  }

  @Test("whoever assigns between reading and writing wins, and the repair gives up")
  func conflict() async throws {
    let store = InMemoryDatastore()
    try await Self.block("10.0.0.0/30", "h", 1, in: store)
    try await Self.handle("h", ["10.0.0.0/30": 2], in: store)
    let revision = try #require(try await Self.stored(.handle("h"), in: store)).revision
    let cidr = try Self.cidr("10.0.0.0/30")
    var execution = Execution(RepairHandle("h", at: revision, blocks: []))
    var step = execution.next()
    var hasInterfered = false
    while true {
      switch step {
      case .read(let reads):
        step = execution.resume(with: try await store.read(reads, deadline: Self.deadline))
      case .commit(let plan):
        if !hasInterfered {
          // The assigner whose count it was writes its block after all.
          try await Self.block("10.0.0.0/30", "h", 2, in: store)
          hasInterfered = true
        }
        step = execution.resume(with: try await store.commit(plan, deadline: Self.deadline))
      case .done(let outcome):
        #expect(outcome == .changed)
        #expect(try await Self.stored(.handle("h"), in: store)?.handle().counts == [cidr: 2])
        return
      case .failed(let error): throw error
      }
    }
  }

  // MARK: Affinities and blocks

  @Test("an affinity to a block that is not there or not the owner's is deleted", arguments: stores)
  func orphans(_ isAtomic: Bool) async throws {
    let store = InMemoryDatastore(commitsAtomically: isAtomic)
    try await Self.block("10.0.0.0/30", "h", 1, in: store)
    let other = BlockOwner(.host, "n2")
    let own = Key.affinity(Self.owner, try Self.cidr("10.0.0.0/30"))
    let foreign = Key.affinity(other, try Self.cidr("10.0.0.0/30"))
    let missing = Key.affinity(Self.owner, try Self.cidr("10.0.0.4/30"))
    for key in [own, foreign, missing] { try await Self.put(key, #"{"state":"confirmed"}"#, in: store) }
    for (key, outcome) in [(own, RepairOutcome.sound), (foreign, .repaired), (missing, .repaired)] {
      guard case .affinity(let owner, let cidr) = key else { continue }
      let revision = try #require(try await Self.stored(key, in: store)).revision
      #expect(try await Self.run(DeleteOrphanAffinity(owner, cidr, at: revision), on: store) == outcome)
      #expect(try await (Self.stored(key, in: store) == nil) == (outcome == .repaired))
      #expect(try await Self.run(DeleteOrphanAffinity(owner, cidr, at: Revision(99)), on: store) == .changed)
    }
  }

  @Test("a block is deleted when it is empty and belongs to nobody, and only then", arguments: stores)
  func emptyBlocks(_ isAtomic: Bool) async throws {
    let store = InMemoryDatastore(commitsAtomically: isAtomic)
    let text = { (affinity: String, free: String, attributes: String) in
      #"{"cidr":"10.0.0.0/31","affinity":\#(affinity),"allocations":\#(free == "[0,1]" ? "[null,null]" : "[0,null]"),"#
        + #""unallocated":\#(free),"attributes":\#(attributes),"sequenceNumber":1,"deleted":false}"#
    }
    let cidr = try Self.cidr("10.0.0.0/31")
    let operation = DeleteEmptyBlock(cidr, time: Self.time)
    #expect(try await Self.run(operation, on: store) == .changed)
    let cold = #"[{"releasedAt":"2026-08-14T09:00:00Z"}]"#
    try await Self.put(.configuration, #"{"auto_allocate_blocks":true,"ipCooldownSeconds":60}"#, in: store)
    let warm = #"[{"releasedAt":"2026-08-14T09:12:00Z"}]"#
    let cases = [
      (text(#""host:n1""#, "[0,1]", "[]"), RepairOutcome.sound), (text("null", "[1]", #"[{"handle_id":"h"}]"#), .sound),
      (text("null", "[1]", warm), .sound), (text("null", "[1]", cold), .repaired),
      (text("null", "[0,1]", "[]"), .repaired),
    ]
    for (block, outcome) in cases {
      try await Self.put(.block(cidr), block, in: store)
      #expect(try await Self.run(operation, on: store) == outcome)
      #expect(try await (Self.stored(.block(cidr), in: store) == nil) == (outcome == .repaired))
    }
  }
}
