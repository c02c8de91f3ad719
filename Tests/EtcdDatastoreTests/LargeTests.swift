import CalicoModel
import Datastore
import IPAddressing
import TestSupport
import Testing

@testable import EtcdDatastore

@Suite("Large plans and listings")
struct LargeTests {
  private func block(_ number: Int) throws -> CIDR {
    try #require(CIDR("10.\(number / 256).\(number % 256).0/26"))
  }

  /// A claim of a block with its affinity, and a handle in it.
  private func claim(_ number: Int) throws -> [Change] {
    let (cidr, owner) = (try block(number), BlockOwner(.host, "node1"))
    let block = IPAMBlock(cidr: cidr, owner: owner, time: Timestamp(seconds: 1_787_405_580))
    return [
      Change(.handle("h\(number)"), base: .any, final: .value(.handle(IPAMHandle([cidr: 1])))),
      Change(.block(cidr), base: .any, final: .value(.block(block))),
      Change(
        .affinity(owner, cidr), base: .any, staged: .affinity(BlockAffinity(.pending)),
        final: .value(.affinity(BlockAffinity(.confirmed)))),
    ]
  }

  @Test("a plan that fits is one transaction, in which each entry is written once")
  func small() throws {
    let plan = Plan(try (0..<40).flatMap { try claim($0) })
    let division = PlanDivision(plan)
    #expect(division.transactions.count == 1)
    #expect(division.transactions[0].map(\.key) == plan.changes.map(\.key))
    #expect(division.transactions[0].allSatisfy { $0.stage == .final })
    #expect(PlanDivision(Plan()).transactions.isEmpty)
  }

  @Test("a plan that is too large is divided between blocks, and never within one")
  func groups() throws {
    let claims = try (0..<100).map { try claim($0) }
    // Handles first, then blocks, then affinities.
    let plan = Plan((0..<3).flatMap { part in claims.map { $0[part] } })
    let division = PlanDivision(plan)
    #expect(division.transactions.count == 3)
    #expect(division.transactions.allSatisfy { $0.count <= 120 && $0.count.isMultiple(of: 3) })
    for transaction in division.transactions {
      let blocks = transaction.compactMap { if case .block(let cidr) = $0.key { cidr } else { nil } }
      let claimed = transaction.compactMap { if case .affinity(_, let cidr) = $0.key { cidr } else { nil } }
      #expect(Set(blocks) == Set(claimed))
    }
    #expect(Set(division.transactions.joined().map(\.key)) == Set(plan.changes.map(\.key)))
  }

  @Test("a group that is too large by itself is made stage by stage")
  func stages() throws {
    let cidr = try block(0)
    var changes = try Array(claim(0).dropFirst())
    for number in 0..<150 {
      changes.append(Change(.handle("h\(number)"), base: .absent, final: .value(.handle(IPAMHandle([cidr: 1])))))
    }
    let transactions = PlanDivision(Plan(changes)).transactions
    #expect(transactions.count == 2)
    #expect(transactions[0].first?.stage == .staged)
    #expect(transactions.last?.last?.key == changes[1].key)
    #expect(transactions.joined().count == changes.count + 1)
    for transaction in transactions { #expect(Set(transaction.map(\.key)).count == transaction.count) }
  }

  @Test("bytes count as well as entries")
  func bytes() throws {
    let text = Array(repeating: UInt8(ascii: "x"), count: 400_000)
    let plan = Plan((0..<5).map { Change(.resource(.ipPool, "p\($0)"), base: .any, final: .value(.resource(text))) })
    #expect(PlanDivision(plan).transactions.map(\.count) == [2, 2, 1])
  }

  @Test(
    "a large plan is made on a server, and what was made before a conflict is told",
    .enabled(if: EtcdServer.isPossible, "needs etcd-server"))
  func largePlans() async throws {
    let server = try EtcdServer()
    let store = try EtcdDatastore(server.settings)
    let plan = Plan(try (0..<100).flatMap { try claim($0) })
    guard case .applied(let revisions) = try await store.commit(plan, deadline: .after(milliseconds: 30_000)) else {
      Issue.record("the plan was not made")
      return
    }
    #expect(revisions.count == 300)
    #expect(store.statistics.requests == 3)
    var again = plan
    for index in again.changes.indices { again.changes[index].final = .delete }
    again.changes[250].base = .absent
    let outcome = try await store.commit(again, deadline: .after(milliseconds: 30_000))
    guard case .conflict(let key, let applied) = outcome else {
      Issue.record("no conflict: \(outcome)")
      return
    }
    #expect(key == plan.changes[250].key)
    #expect(applied.map(\.key) == plan.changes.prefix(240).map(\.key))
    #expect(applied.allSatisfy { $0.revision == nil })
  }

  @Test(
    "a group that is made stage by stage on a server compares with what it wrote itself",
    .enabled(if: EtcdServer.isPossible, "needs etcd-server"))
  func staged() async throws {
    let server = try EtcdServer()
    let store = try EtcdDatastore(server.settings)
    let cidr = try block(0)
    var changes = try Array(claim(0).dropFirst())
    for index in changes.indices { changes[index].base = .absent }
    for number in 0..<150 {
      changes.append(Change(.handle("h\(number)"), base: .absent, final: .value(.handle(IPAMHandle([cidr: 1])))))
    }
    let outcome = try await store.commit(Plan(changes), deadline: .after(milliseconds: 30_000))
    guard case .applied(let revisions) = outcome else {
      Issue.record("the plan was not made: \(outcome)")
      return
    }
    #expect(revisions.count == changes.count)
    let results = try await store.read([.entry(changes[1].key)], deadline: .after(milliseconds: 10_000))
    guard case .entry(let stored?) = results[0] else { return }
    #expect(try stored.affinity().state == .confirmed)
    #expect(stored.revision == revisions[changes[1].key])
  }

  @Test(
    "a long listing is read in pages, all of one moment, and a limit counts what is wanted",
    .enabled(if: EtcdServer.isPossible, "needs etcd-server"))
  func longListings() async throws {
    let server = try EtcdServer()
    let store = try EtcdDatastore(server.settings)
    for start in stride(from: 0, to: 1200, by: 120) {
      let changes = try (start..<start + 120).map { try Change.handle("h\($0)", holding: 1) }
      #expect(try await store.commit(Plan(changes), deadline: .after(milliseconds: 30_000)).isApplied)
    }
    for name in 0..<30 { try server.control("put", "/calico/ipam/v2/handle/a/\(name)", "{}") }
    store.resetStatistics()
    let results = try await store.read(
      [.list(Listing(.handles)), .list(Listing(.handles, .keys)), .list(Listing(.handles, limit: 10))],
      deadline: .after(milliseconds: 30_000))
    let lists = results.compactMap { if case .list(let list) = $0 { list } else { nil } }
    #expect(lists.map(\.items.count) == [1200, 1200, 10])
    #expect(lists.map(\.hasMore) == [false, false, true])
    #expect(lists[0].items.map(\.key) == lists[1].items.map(\.key))
    #expect(lists[0].items.allSatisfy { $0.stored != nil })
    #expect(store.statistics.requests == 4)
  }
}
