import CalicoModel
import Datastore
import IPAddressing
import Testing

// Everything in a range, page by page.

extension DatastoreContract {
  static let scanRules = [
    Rule("a scan of a range without entries tells nothing", emptyScans),
    Rule("a scan tells each entry of a range once, as a read would", scans),
    Rule("what takes an entry of a scan can end it", endedScan),
  ]

  private static let scopes: [Listing.Scope] = [
    .blocks(nil), .blocks(.v4), .blocks(.v6), .handles, .allAffinities(.host), .allAffinities(.virtual),
    .affinities(BlockOwner(.host, "node1"), nil), .resources(.ipPool), .resources(.ipReservation),
  ]

  /// What a scan tells, which has to be entries.
  private static func scan(_ store: ContractStore, _ scope: Listing.Scope) async throws -> [(key: Key, stored: Stored)]
  {
    var found: [(key: Key, stored: Stored)] = []
    try await store.store.scan(scope, millisecondsPerPage: 30_000) { entry in
      guard case .entry(let key, let stored) = entry else {
        Issue.record("\(entry) is no entry")
        return
      }
      found.append((key, stored))
    }
    return found
  }

  private static func emptyScans(_ store: ContractStore) async throws {
    for scope in scopes { #expect(try await scan(store, scope).isEmpty) }
  }

  private static func fill(_ store: ContractStore) async throws {
    for text in ["10.65.0.0/26", "10.65.0.64/26", "fd00:10:65::/122"] {
      try await store.create(.block(text), .block(text))
      try await store.create(.affinity("node1", text), .affinity(.confirmed))
    }
    try await store.create(.affinity("node10", "10.65.1.0/26"), .affinity(.pending))
    try await store.create(.affinity("load-balancer", "10.65.2.0/26", .virtual), .affinity(.confirmed))
    for number in 0..<5 { try await store.create(.handle("h\(number)"), .handle(holding: number + 1)) }
    try await store.create(.resource(.ipPool, "pool"), .pool("pool", "10.65.0.0/16"))
  }

  private static func scans(_ store: ContractStore) async throws {
    try await fill(store)
    for scope in scopes {
      let found = try await scan(store, scope)
      let listed = try await store.list(Listing(scope)).items
      #expect(found.count == listed.count, "\(scope)")
      let told = Dictionary(found.map { ($0.key, $0.stored) }) { $1 }
      for item in listed { #expect(told[item.key] == item.stored, "\(item.key)") }
    }
  }

  private struct Enough: Error {}

  private static func endedScan(_ store: ContractStore) async throws {
    try await fill(store)
    var count = 0
    await #expect(throws: Enough.self) {
      try await store.store.scan(.handles, millisecondsPerPage: 30_000) { _ in
        count += 1
        if count == 2 { throw Enough() }
      }
    }
    #expect(count == 2)
    // The store goes on as before.
    #expect(try await scan(store, .handles).count == 5)
  }
}
