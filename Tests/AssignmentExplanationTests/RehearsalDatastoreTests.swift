import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import AssignmentExplanation

@Suite("A datastore whose commits go nowhere")
struct RehearsalDatastoreTests {
  private let base = InMemoryDatastore()
  private let rehearsed: RehearsalDatastore<InMemoryDatastore>
  private let owner = BlockOwner(.host, "n1")

  init() async throws {
    rehearsed = RehearsalDatastore(base)
    for third in [0, 4, 8, 12] {
      let block = try #require(CIDR("10.0.0.\(third)/30"))
      base.put(BlockAffinity(.confirmed).encoded(), at: KeyPath.path(of: .affinity(owner, block)))
    }
  }

  private func commit(_ changes: Change...) async throws -> Outcome {
    try await rehearsed.commit(Plan(changes), deadline: .distantFuture)
  }

  private func entry(_ key: Key) async throws -> Stored? {
    guard case .entry(let stored)? = try await rehearsed.read([.entry(key)], deadline: .distantFuture).first else {
      return nil
    }
    return stored
  }

  /// The last numbers of the blocks that a list names, and whether there are more.
  private func list(
    after: CIDR? = nil, limit: Int? = nil, _ contents: Listing.Contents = .values
  ) async throws -> String {
    let after = after.map { Key.affinity(owner, $0) }
    let listing = Listing(.affinities(owner, .v4), contents, after: after, limit: limit)
    let results = try await rehearsed.read([.list(listing)], deadline: .distantFuture)
    guard case .list(let list)? = results.first else { return "" }
    let numbers = list.items.map { item -> String in
      guard case .affinity(_, let block) = item.key else { return "?" }
      #expect((item.stored != nil) == (contents == .values))
      return String(block.address.number & 0xFF)
    }
    return numbers.joined(separator: " ") + (list.hasMore ? " …" : "")
  }

  private func affinity(_ block: CIDR, base: Base, _ state: BlockAffinity.State? = .confirmed) -> Change {
    let final = state.map { Change.Final.value(.affinity(BlockAffinity($0))) } ?? .delete
    return Change(.affinity(owner, block), base: base, final: final)
  }

  @Test("what is committed is read again, and the other store is as it was")
  func overlay() async throws {
    let before = base.dump()
    let old = try #require(try await entry(.affinity(owner, "10.0.0.0/30")))
    let outcome = try await commit(
      affinity("10.0.0.0/30", base: .revision(old.revision), .pending), affinity("10.0.0.16/30", base: .absent),
      affinity("10.0.0.4/30", base: .any, nil))
    guard case .applied(let revisions) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(revisions.count == 2)
    let new = try #require(try await entry(.affinity(owner, "10.0.0.0/30")))
    #expect(try new.affinity().state == .pending)
    #expect(new.revision == revisions[.affinity(owner, "10.0.0.0/30")])
    #expect(try await entry(.affinity(owner, "10.0.0.4/30")) == nil)
    #expect(
      rehearsed.changedKeys == (["10.0.0.0/30", "10.0.0.16/30", "10.0.0.4/30"] as [CIDR]).map { .affinity(owner, $0) })
    #expect(base.dump() == before)
  }

  @Test("lists have what was committed in the order of paths, with limits and places to go on from")
  func lists() async throws {
    // By the text of their paths: 0, 12, 4, 8.
    #expect(try await list() == "0 12 4 8")
    _ = try await commit(affinity("10.0.0.16/30", base: .absent), affinity("10.0.0.12/30", base: .any, nil))
    #expect(try await list() == "0 16 4 8")
    #expect(try await list(limit: 3) == "0 16 4 …")
    #expect(try await list(limit: 4) == "0 16 4 8")
    #expect(try await list(after: "10.0.0.16/30", limit: 1) == "4 …")
    #expect(try await list(after: "10.0.0.4/30") == "8")
    #expect(try await list(.keys) == "0 16 4 8")
    _ = try await commit(affinity("10.0.0.4/30", base: .any, nil), affinity("10.0.0.8/30", base: .any, nil))
    #expect(try await list(limit: 2) == "0 16")
    #expect(try await list(limit: 1) == "0 …")
  }

  @Test("a commit compares with what was committed here, and with what the other store has by now")
  func compares() async throws {
    let key = Key.affinity(owner, "10.0.0.0/30")
    let old = try #require(try await entry(key))
    #expect(try await commit(affinity("10.0.0.0/30", base: .absent)) == .conflict(key, applied: []))
    base.put(BlockAffinity(.pending).encoded(), at: KeyPath.path(of: key))
    #expect(
      try await commit(affinity("10.0.0.0/30", base: .revision(old.revision))) == .conflict(key, applied: []))
    #expect(rehearsed.changedKeys.isEmpty)
    _ = try await commit(affinity("10.0.0.0/30", base: .any, nil))
    guard case .applied = try await commit(affinity("10.0.0.0/30", base: .absent)) else {
      Issue.record("what was deleted here is absent")
      return
    }
  }

  @Test("blocks, handles and resources are listed each in their range")
  func scopes() async throws {
    let time = Timestamp(seconds: 1_786_698_753)
    func count(_ scope: Listing.Scope) async throws -> Int {
      let results = try await rehearsed.read([.list(Listing(scope))], deadline: .distantFuture)
      guard case .list(let list)? = results.first else { return 0 }
      return list.items.count
    }
    let block: CIDR = "fd00::/122"
    _ = try await commit(
      Change(.block(block), base: .absent, final: .value(.block(IPAMBlock(cidr: block, owner: owner, time: time)))),
      Change(.handle("h"), base: .absent, final: .value(.handle(IPAMHandle()))),
      Change(.resource(.node, "n"), base: .absent, final: .value(.resource(Array("{}".utf8)))),
      affinity(block, base: .absent))
    #expect(try await count(.blocks(.v6)) == 1)
    #expect(try await count(.blocks(.v4)) == 0)
    #expect(try await count(.blocks(nil)) == 1)
    #expect(try await count(.handles) == 1)
    #expect(try await count(.resources(.node)) == 1)
    #expect(try await count(.resources(.ipPool)) == 0)
    #expect(try await count(.affinities(owner, nil)) == 5)
    #expect(try await count(.affinities(owner, .v6)) == 1)
    #expect(try await count(.affinities(BlockOwner(.host, "n"), nil)) == 0)
    #expect(try await count(.allAffinities(.host)) == 5)
    #expect(try await count(.allAffinities(.virtual)) == 0)
  }
}
