import CalicoModel
import Datastore
import IPAddressing
import Testing

// Ranges of entries.

extension DatastoreContract {
  static let listingRules = [
    Rule("a range without entries is empty", emptyRanges),
    Rule("blocks are listed by family or together, in the order of their paths", blocks),
    Rule("affinities are listed by owner and family, and by no other owner's whose name begins alike", affinities),
    Rule("affinities of all owners of a kind are listed together", allAffinities),
    Rule("handles are listed in the order of their bytes", handles),
    Rule("handles with odd characters are listed", needsAnyText: true, oddHandles),
    Rule("resources are listed by kind", resources),
    Rule("a listing of keys has no values, and one of values has revisions to write with", contents),
    Rule("a limit cuts off what follows, and says whether there is more", limits),
    Rule("a listing goes on after a key, whether or not it still exists", pages),
  ]

  private static func emptyRanges(_ store: ContractStore) async throws {
    let scopes: [Listing.Scope] = [
      .blocks(nil), .blocks(.v4), .affinities(BlockOwner(.host, "node1"), nil), .allAffinities(.virtual), .handles,
      .resources(.ipPool),
    ]
    for scope in scopes {
      let result = try await store.list(Listing(scope, limit: 5))
      #expect(result.items.isEmpty)
      #expect(!result.hasMore)
    }
  }

  private static func blocks(_ store: ContractStore) async throws {
    let v4 = ["10.65.0.64/26", "10.65.0.0/26", "10.65.0.128/26", "10.100.0.0/26", "10.65.1.0/29", "9.0.0.0/24"]
    let v6 = ["fd00:10:65::40/122", "fd00::/122", "fd00:10:65::/122"]
    for text in v4 + v6 { try await store.create(.block(text), .block(text)) }
    try await store.create(.affinity("node1", "10.65.0.0/26"), .affinity(.confirmed))
    let expected4 = try v4.map { try Key.block($0) }.inPathOrder
    let expected6 = try v6.map { try Key.block($0) }.inPathOrder
    #expect(try await store.keys(.blocks(.v4)) == expected4)
    #expect(try await store.keys(.blocks(.v6)) == expected6)
    #expect(try await store.keys(.blocks(nil)) == expected4 + expected6)
    // The order is that of texts, not of numbers.
    #expect(expected4.last == (try .block("9.0.0.0/24")))
  }

  /// Affinities of owners whose names are the beginning of one another.
  private static func fillAffinities(_ store: ContractStore) async throws -> [Key] {
    var keys: [Key] = []
    for (index, name) in ["node1", "node10", "node-1.a", "node-1", "node", "node1.a"].enumerated() {
      keys.append(try .affinity(name, "10.65.\(index).64/26"))
      keys.append(try .affinity(name, "10.65.\(index).0/26"))
      keys.append(try .affinity(name, "fd00:10:65:\(index)::/122"))
    }
    keys.append(try .affinity("node1", "10.70.0.0/26", .virtual))
    keys.append(try .affinity("load-balancer", "10.70.0.64/26", .virtual))
    for key in keys { try await store.create(key, .affinity(.confirmed)) }
    return keys.inPathOrder
  }

  private static func affinities(_ store: ContractStore) async throws {
    let keys = try await fillAffinities(store)
    for kind in BlockOwner.Kind.allCases {
      for name in ["node1", "node10", "node-1.a", "node-1", "node", "node1.a", "load-balancer", "nod", "none"] {
        let owner = BlockOwner(kind, name)
        for family in [nil, .v4, .v6] as [AddressFamily?] {
          let expected = keys.filter { key in
            guard case .affinity(owner, let cidr) = key else { return false }
            return family == nil || cidr.address.family == family
          }
          #expect(try await store.keys(.affinities(owner, family)) == expected, "\(owner)")
        }
      }
    }
  }

  private static func allAffinities(_ store: ContractStore) async throws {
    let keys = try await fillAffinities(store)
    for kind in BlockOwner.Kind.allCases {
      let expected = keys.filter { key in
        guard case .affinity(let owner, _) = key else { return false }
        return owner.kind == kind
      }
      #expect(try await store.keys(.allAffinities(kind)) == expected)
    }
  }

  private static func handles(_ store: ContractStore) async throws {
    let names = ["b", "a", "a.b", "a-b", "a0", "k8s-pod-network.c10", "k8s-pod-network.c1", "k8s-pod-network.c2"]
    for name in names { try await store.create(.handle(name), .handle(holding: 1)) }
    #expect(try await store.keys(.handles) == names.map { Key.handle($0) }.inPathOrder)
  }

  private static func oddHandles(_ store: ContractStore) async throws {
    let names = [
      "B", "a b", "a%2Fb", "a?b*[c]", "a\\b'\"", "_%", "a:b@c#d", "ü", "漢字", "😀", "\u{FFFD}", "..", "a\nb", "~", " ",
      "'; drop table entries; --", "line\u{2028}", "a\u{301}", String(repeating: "x", count: 500),
    ]
    for (index, name) in names.enumerated() { try await store.create(.handle(name), .handle(holding: index + 1)) }
    #expect(try await store.keys(.handles) == names.map { Key.handle($0) }.inPathOrder)
    for (index, name) in names.enumerated() {
      #expect(try await store.entry(.handle(name))?.handle().count(.v4) == index + 1, "\(name)")
    }
  }

  private static func resources(_ store: ContractStore) async throws {
    for name in ["pool10", "pool1", "pool-1.a"] {
      try await store.create(.resource(.ipPool, name), .pool(name, "10.65.0.0/16"))
    }
    let expected = ["pool10", "pool1", "pool-1.a"].map { Key.resource(.ipPool, $0) }.inPathOrder
    #expect(try await store.keys(.resources(.ipPool)) == expected)
    #expect(try await store.keys(.resources(.ipReservation)).isEmpty)
  }

  private static func contents(_ store: ContractStore) async throws {
    try await store.create(.handle("a"), .handle(holding: 1))
    try await store.create(.handle("b"), .handle(holding: 2))
    let keys = try await store.list(Listing(.handles, .keys))
    #expect(keys.items.map(\.key) == [.handle("a"), .handle("b")])
    #expect(keys.items.allSatisfy { $0.stored == nil })
    let values = try await store.list(Listing(.handles, .values))
    #expect(try values.items.map { try $0.stored?.handle().count(.v4) } == [1, 2])
    let stored = try #require(values.items.last?.stored)
    try await store.apply(.handle("b"), base: .revision(stored.revision), .delete)
    #expect(try await store.keys(.handles) == [.handle("a")])
  }

  private static func limits(_ store: ContractStore) async throws {
    for name in ["c", "a", "b"] { try await store.create(.handle(name), .handle(holding: 1)) }
    let all = [Key.handle("a"), .handle("b"), .handle("c")]
    for contents in [Listing.Contents.keys, .values] {
      for limit in 1...4 {
        let result = try await store.list(Listing(.handles, contents, limit: limit))
        #expect(result.items.map(\.key) == Array(all.prefix(limit)))
        #expect(result.hasMore == (limit < 3), "limit \(limit)")
      }
      #expect(try await store.list(Listing(.handles, contents)).hasMore == false)
    }
  }

  private static func pages(_ store: ContractStore) async throws {
    let texts = (0..<7).map { "10.65.\($0).0/26" } + ["fd00::/122", "fd00::40/122"]
    for text in texts { try await store.create(.block(text), .block(text)) }
    let all = try texts.map { try Key.block($0) }.inPathOrder
    for limit in 1...5 {
      var keys: [Key] = []
      var hasMore = true
      while hasMore, keys.count <= all.count {
        let page = try await store.list(Listing(.blocks(nil), .keys, after: keys.last, limit: limit))
        keys += page.items.map(\.key)
        hasMore = page.hasMore
      }
      #expect(keys == all, "limit \(limit)")
    }
    try await store.apply(all[3], base: .any, .delete)
    #expect(try await store.list(Listing(.blocks(nil), .keys, after: all[3])).items.map(\.key) == Array(all[4...]))
    // A key of the other family is before or behind the whole range.
    #expect(try await store.list(Listing(.blocks(.v4), after: all[8])).items.isEmpty)
    #expect(try await store.list(Listing(.blocks(.v6), after: all[0])).items.count == 2)
  }
}
