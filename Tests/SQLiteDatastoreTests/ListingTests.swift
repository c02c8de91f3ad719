import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import SQLiteDatastore

@Suite("Listings of SQLite")
struct ListingTests {
  let scratch: ScratchStore
  let store: SQLiteDatastore
  let owner = BlockOwner(.host, "node-a")

  init() async throws {
    scratch = try ScratchStore()
    store = scratch.open()
    try await store.put(
      (.block("10.0.0.0/26"), "b1"), (.block("10.0.0.64/26"), "b2"), (.block("9.0.0.0/26"), "b3"),
      (.block("fd00::/122"), "b6"),
      (.affinity(owner, CIDR.text("10.0.0.0/26")), "a1"), (.affinity(owner, CIDR.text("fd00::/122")), "a6"),
      (.affinity(BlockOwner(.host, "node-ab"), CIDR.text("10.0.0.64/26")), "a2"), (.host("node-a"), "marker"),
      (.affinity(.loadBalancer, CIDR.text("9.0.0.0/26")), "a3"),
      (.handle("h1"), "h"), (.handle("h2"), "h"), (.configuration, "c"),
      (.resource(.ipPool, "p1"), "p"), (.resource(.node, "node-a"), "n")
    )
  }

  @Test("every scope gives its entries and no others, in the order of their paths")
  func scopes() async throws {
    let v4 = ["10.0.0.0/26", "10.0.0.64/26", "9.0.0.0/26"].map { Key.block($0) }
    let v6 = [Key.block("fd00::/122")]
    let first = Key.affinity(owner, CIDR.text("10.0.0.0/26"))
    let second = Key.affinity(BlockOwner(.host, "node-ab"), CIDR.text("10.0.0.64/26"))
    let sixth = Key.affinity(owner, CIDR.text("fd00::/122"))
    let expectations: [(Listing.Scope, [Key])] = [
      (.blocks(.v4), v4), (.blocks(.v6), v6), (.blocks(nil), v4 + v6),
      (.affinities(owner, .v4), [first]), (.affinities(owner, .v6), [sixth]),
      (.affinities(owner, nil), [first, sixth]),
      (.affinities(BlockOwner(.host, "node"), nil), []),
      (.allAffinities(.host), [first, sixth, second]),
      (.allAffinities(.virtual), [.affinity(.loadBalancer, CIDR.text("9.0.0.0/26"))]),
      (.handles, [.handle("h1"), .handle("h2")]),
      (.resources(.ipPool), [.resource(.ipPool, "p1")]), (.resources(.node), [.resource(.node, "node-a")]),
      (.resources(.tier), []),
    ]
    for (scope, keys) in expectations {
      for contents in [Listing.Contents.keys, .values] {
        let result = try await store.list(Listing(scope, contents))
        #expect(result.items.map(\.key) == keys, "\(scope)")
        #expect(result.items.allSatisfy { ($0.stored != nil) == (contents == .values) })
        #expect(!result.hasMore)
      }
    }
  }

  @Test("a listing with values has them, with their revisions")
  func values() async throws {
    try await store.put((.handle("h2"), "new"))
    let items = try await store.list(Listing(.handles)).items
    #expect(items.map(\.stored?.revision) == [Revision(1), Revision(2)])
    #expect(items.last?.stored?.bytes == Array("new".utf8))
  }

  @Test(
    "a limit cuts off, and says whether there is more",
    arguments: [
      (Key?.none, Int?.some(0), 0..<0, true), (nil, 1, 0..<1, true), (nil, 3, 0..<3, true), (nil, 4, 0..<4, false),
      (nil, 5, 0..<4, false), (nil, nil, 0..<4, false),
      (.block("10.0.0.0/26"), 1, 1..<2, true), (.block("10.0.0.0/26"), 3, 1..<4, false),
      (.block("10.0.0.32/26"), 1, 1..<2, true), (.block("fd00::/122"), 2, 4..<4, false),
      (.block("fd00::/122"), 0, 4..<4, false),
      // A key of another range leaves all of this one, or nothing of it.
      (.configuration, nil, 4..<4, false), (.resource(.node, "x"), nil, 4..<4, false),
    ] as [(Key?, Int?, Range<Int>, Bool)]
  )
  func pages(after: Key?, limit: Int?, expected: Range<Int>, hasMore: Bool) async throws {
    let all = try await store.list(Listing(.blocks(nil), .keys)).items.map(\.key)
    let page = try await store.list(Listing(.blocks(nil), .keys, after: after, limit: limit))
    #expect(page.items.map(\.key) == Array(all[expected]))
    #expect(page.hasMore == hasMore)
  }

  @Test("paths that name no entry are left out, and do not count")
  func unknownPaths() async throws {
    for path in [
      "/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26/x", "/calico/ipam/v2/assignment/ipv4/block/zebra",
      "/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-026", "/calico/ipam/v2/assignment/ipv6/zone/fd00::-64",
      "/calico/ipam/v2/handle/h2/x",
    ] {
      try store.run("INSERT INTO entries VALUES ('\(path)', 1, x'00')")
    }
    let page = try await store.list(Listing(.blocks(nil), .keys, limit: 4))
    #expect(page.items.count == 4)
    #expect(!page.hasMore)
    #expect(try await store.list(Listing(.handles)).items.count == 2)
  }

  @Test("one call reads one state, while others write")
  func snapshot() async throws {
    let scratch = scratch
    let writer = Task {
      let store = scratch.open()
      for number in 0..<200 { try await store.put((.handle("h1"), String(number)), (.handle("h2"), String(number))) }
    }
    let reads = [Read.entry(.handle("h1")), .list(Listing(.handles)), .entry(.handle("h2"))]
    for _ in 0..<200 {
      let results = try await store.read(reads, deadline: .soon)
      guard case .entry(let first) = results[0], case .list(let list) = results[1], case .entry(let last) = results[2]
      else {
        Issue.record("results in another order")
        break
      }
      #expect(first?.bytes == last?.bytes)
      #expect(list.items.map(\.stored) == [first, last])
    }
    try await writer.value
  }
}
