import CalicoModel
import Datastore
import IPAddressing
import Testing

// Reading in batches.

extension DatastoreContract {
  static let readRules = [
    Rule("a batch of nothing gives nothing", emptyBatches),
    Rule("a batch gives its results in the order of its reads", mixedBatches),
    Rule("a batch may be large, and ask for one thing twice", largeBatches),
  ]

  private static func emptyBatches(_ store: ContractStore) async throws {
    #expect(try await store.read([]).isEmpty)
  }

  private static func mixedBatches(_ store: ContractStore) async throws {
    try await store.create(.handle("a"), .handle(holding: 1))
    try await store.create(.handle("b"), .handle(holding: 2))
    try await store.create(.affinity("node1", "10.65.0.0/26"), .affinity(.confirmed))
    let owner = BlockOwner(.host, "node1")
    let results = try await store.read([
      .entry(.handle("b")), .list(Listing(.blocks(nil))), .entry(.handle("absent")),
      .list(Listing(.affinities(owner, .v4), .keys)), .entry(.handle("a")),
    ])
    guard case .entry(let second?) = results[0], case .list(let blocks) = results[1], case .entry(nil) = results[2],
      case .list(let affinities) = results[3], case .entry(let first?) = results[4]
    else {
      Issue.record("results of other kinds than the reads: \(results)")
      return
    }
    #expect(try second.handle().count(.v4) == 2)
    #expect(try first.handle().count(.v4) == 1)
    #expect(blocks.items.isEmpty)
    #expect(affinities.items.map(\.key) == [try .affinity("node1", "10.65.0.0/26")])
  }

  private static func largeBatches(_ store: ContractStore) async throws {
    for number in 0..<20 {
      try await store.create(.handle("h\(number)"), .handle(holding: number + 1))
    }
    let numbers = (0..<200).map { $0 * 7 % 25 }
    let results = try await store.read(numbers.map { .entry(.handle("h\($0)")) })
    for (number, result) in zip(numbers, results) {
      guard case .entry(let stored) = result else {
        Issue.record("a listing came back for an entry")
        return
      }
      #expect(try stored?.handle().count(.v4) == (number < 20 ? number + 1 : nil))
    }
  }
}
