import CalicoModel
import Datastore
import IPAddressing
import Testing

// One entry at a time.

extension DatastoreContract {
  static let entryRules = [
    Rule("an entry that nobody wrote is absent", absent),
    Rule("an entry can be created only once", createdOnce),
    Rule("an update needs the revision that was read, and gives a new one", updates),
    Rule("a revision that was overwritten is refused for ever", staleRevisions),
    Rule("an entry that is absent has no revision that could be right", absentHasNoRevision),
    Rule("a deletion needs the right revision", deletions),
    Rule("an entry made anew does not accept a revision of the old one", revisionsOfFormerLife),
    Rule("base any overwrites, creates and deletes whatever is there", anyBase),
    Rule("every kind of value can be written and read", kindsOfValues),
    Rule("handles that differ in the case of letters are different entries", needsAnyText: true, caseOfHandles),
  ]

  private static let handle = Key.handle("k8s-pod-network.c1")

  private static func absent(_ store: ContractStore) async throws {
    #expect(try await store.entry(handle) == nil)
    #expect(try await store.entry(.block("10.65.0.0/26")) == nil)
    #expect(try await store.entry(.affinity("node1", "10.65.0.0/26")) == nil)
    #expect(try await store.entry(.configuration) == nil)
    #expect(try await store.entry(.resource(.ipPool, "none")) == nil)
  }

  private static func createdOnce(_ store: ContractStore) async throws {
    try await store.create(handle, .handle(holding: 1))
    let again = try await store.commit(Change(handle, base: .absent, final: .value(.handle(holding: 2))))
    #expect(again == .conflict(handle, applied: []))
    #expect(try await store.entry(handle)?.handle().count(.v4) == 1)
  }

  private static func updates(_ store: ContractStore) async throws {
    let first = try await store.create(handle, .handle(holding: 1))
    let second = try await store.apply(handle, base: .revision(first), .value(.handle(holding: 2)))
    #expect(second != nil)
    #expect(second != first)
    let read = try #require(try await store.entry(handle))
    #expect(try read.handle().count(.v4) == 2)
    // A revision that was read is as good as one that a write returned.
    try await store.apply(handle, base: .revision(read.revision), .value(.handle(holding: 3)))
    #expect(try await store.entry(handle)?.handle().count(.v4) == 3)
  }

  private static func staleRevisions(_ store: ContractStore) async throws {
    let first = try await store.create(handle, .handle(holding: 1))
    let second = try #require(try await store.apply(handle, base: .revision(first), .value(.handle(holding: 2))))
    // The old text again: a revision stands for a write, not for a content.
    try await store.apply(handle, base: .revision(second), .value(.handle(holding: 1)))
    for stale in [first, second] {
      let update = try await store.commit(Change(handle, base: .revision(stale), final: .value(.handle(holding: 9))))
      #expect(update == .conflict(handle, applied: []))
      let deletion = try await store.commit(Change(handle, base: .revision(stale), final: .delete))
      #expect(deletion == .conflict(handle, applied: []))
    }
    #expect(try await store.entry(handle)?.handle().count(.v4) == 1)
  }

  private static func absentHasNoRevision(_ store: ContractStore) async throws {
    let other = Key.handle("k8s-pod-network.c2")
    let revision = try await store.create(other, .handle(holding: 1))
    for final in [Change.Final.value(try .handle(holding: 1)), .delete] {
      let outcome = try await store.commit(Change(handle, base: .revision(revision), final: final))
      #expect(outcome == .conflict(handle, applied: []))
    }
    #expect(try await store.entry(handle) == nil)
  }

  private static func deletions(_ store: ContractStore) async throws {
    let first = try await store.create(handle, .handle(holding: 1))
    let refused = try await store.commit(Change(handle, base: .absent, final: .delete))
    #expect(refused == .conflict(handle, applied: []))
    let second = try #require(try await store.apply(handle, base: .revision(first), .value(.handle(holding: 2))))
    #expect(try await store.commit(Change(handle, base: .revision(second), final: .delete)) == .applied([:]))
    #expect(try await store.entry(handle) == nil)
    let again = try await store.commit(Change(handle, base: .revision(second), final: .delete))
    #expect(again == .conflict(handle, applied: []))
  }

  private static func revisionsOfFormerLife(_ store: ContractStore) async throws {
    let former = try await store.create(handle, .handle(holding: 1))
    try await store.apply(handle, base: .revision(former), .delete)
    let present = try await store.create(handle, .handle(holding: 1))
    #expect(present != former)
    let outcome = try await store.commit(Change(handle, base: .revision(former), final: .delete))
    #expect(outcome == .conflict(handle, applied: []))
    try await store.apply(handle, base: .revision(present), .value(.handle(holding: 2)))
  }

  private static func anyBase(_ store: ContractStore) async throws {
    let created = try await store.apply(handle, base: .any, .value(.handle(holding: 1)))
    let overwritten = try await store.apply(handle, base: .any, .value(.handle(holding: 2)))
    #expect(created != nil)
    #expect(overwritten != nil)
    #expect(created != overwritten)
    #expect(try await store.entry(handle)?.handle().count(.v4) == 2)
    #expect(try await store.apply(handle, base: .any, .delete) == nil)
    #expect(try await store.entry(handle) == nil)
    #expect(try await store.apply(handle, base: .any, .delete) == nil)
  }

  private static func kindsOfValues(_ store: ContractStore) async throws {
    var configuration = IPAMConfiguration()
    configuration.strictAffinity = true
    configuration.maxBlocksPerHost = 4
    let values: [(Key, Value)] = [
      (try .block("10.65.0.0/26"), try .block("10.65.0.0/26")),
      (try .block("fd00:10:65::40/122"), try .block("fd00:10:65::40/122")),
      (try .affinity("node1", "10.65.0.0/26"), .affinity(.confirmed)),
      (try .affinity("load-balancer", "10.65.0.64/26", .virtual), .affinity(.pending)),
      (handle, try .handle(holding: 3)),
      (.configuration, .configuration(configuration)),
    ]
    for (key, value) in values { try await store.create(key, value) }
    for (key, value) in values {
      let stored = try #require(try await store.entry(key), "\(key)")
      switch (key, value) {
      case (.block(let cidr), .block(let block)): #expect(try stored.block(cidr) == block)
      case (_, .affinity(let affinity)): #expect(try stored.affinity() == affinity)
      case (_, .handle(let handle)): #expect(try stored.handle() == handle)
      default: #expect(try stored.configuration() == configuration)
      }
    }
    try await store.create(.resource(.ipPool, "pool1"), .pool("pool1", "10.65.0.0/16"))
    let pool = try #require(try await store.entry(.resource(.ipPool, "pool1")))
    #expect(try IPPool(decoding: pool.bytes, name: "pool1").writtenCIDR == "10.65.0.0/16")
  }

  private static func caseOfHandles(_ store: ContractStore) async throws {
    try await store.create(.handle("Net1.ABC"), .handle(holding: 1))
    try await store.create(.handle("net1.abc"), .handle(holding: 2))
    #expect(try await store.entry(.handle("Net1.ABC"))?.handle().count(.v4) == 1)
    #expect(try await store.entry(.handle("net1.abc"))?.handle().count(.v4) == 2)
  }
}
