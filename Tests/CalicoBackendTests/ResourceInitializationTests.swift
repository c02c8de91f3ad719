import CalicoBackend
import CalicoModel
import Datastore
import JSON
import Synchronization
import Testing

@Suite("Initialising a store")
struct ResourceInitializationTests {
  private static let paths = [
    "clusterinformations/default", "tiers/default", "tiers/kube-admin", "tiers/kube-baseline",
  ]

  @Test("cluster information and three tiers, in their order, before the first write of a person")
  func order() async throws {
    let store = ResourceStore()
    _ = try await store.client.apply(try resource("Node", "n", [:]))
    let created = (Self.paths + ["nodes/n"]).map { "create \(resourcePaths)/\($0)" }
    #expect(store.takeEvents() == created)
    let information = try #require(store.text(.clusterInformation, "default"))
    #expect(information.hasSuffix(#""spec":{"clusterGUID":"00000000000040008000000000000001","datastoreReady":true}}"#))
    #expect(information.contains(#""creationTimestamp":"2026-08-22T13:33:00Z""#))
  }

  @Test("neither reading nor deleting initialises a store")
  func readingOnly() async throws {
    let store = ResourceStore()
    _ = try await store.client.list(.ipPool)
    _ = await failure { _ = try await store.client.get(.node, "n") }
    _ = await failure { try await store.client.delete(.node, "n") }
    #expect(store.takeEvents().isEmpty)
  }

  @Test("a client asks once")
  func once() async throws {
    let store = ResourceStore()
    _ = try await store.client.apply(try resource("Node", "a", [:]))
    let before = store.reads
    _ = try await store.client.apply(try resource("Node", "b", [:]))
    #expect(store.reads == before)
  }

  @Test("what exists stays; an absent readiness becomes true, a lock stays")
  func existing() async throws {
    for (specification, expected) in [
      (#"{"clusterGUID":"g"}"#, #"{"clusterGUID":"g","datastoreReady":true}"#),
      (#"{"clusterGUID":"g","datastoreReady":false}"#, #"{"clusterGUID":"g","datastoreReady":false}"#),
    ] {
      let store = ResourceStore()
      let tier = #"{"spec":{"order":5}}"#
      store.put(#"{"metadata":{"name":"default"},"spec":\#(specification)}"#, .clusterInformation, "default")
      store.put(tier, .tier, "kube-admin")
      try await store.client.initialize()
      #expect(
        store.text(.clusterInformation, "default") == #"{"metadata":{"name":"default"},"spec":\#(expected)}"#)
      #expect(store.text(.tier, "kube-admin") == tier)
      #expect(store.text(.tier, "default") != nil)
      _ = store.takeEvents()
      try await store.client.initialize()
      #expect(store.takeEvents().isEmpty)
    }
  }

  @Test("another program that initialises at the same time is no error, and keeping on is bounded")
  func race() async throws {
    let store = ResourceStore()
    let count = Mutex(0)
    store.memory.injectFaults { _ in
      count.withLock { count in
        count += 1
        return count < 5 ? .conflict : .proceed
      }
    }
    try await store.client.initialize()
    #expect(store.takeEvents().count == 4)
    let other = ResourceStore()
    other.memory.injectFaults { _ in .conflict }
    #expect(await failure { try await other.client.initialize() } != nil)
  }

  @Test("a store that cannot be initialised is reported by what is written, not before")
  func failing() async throws {
    let store = ResourceStore()
    store.memory.injectFaults { write in
      guard case .resource(.node, _) = write.key else { return .unavailable }
      return .proceed
    }
    _ = try await store.client.apply(try resource("Node", "n", [:]))
    #expect(store.takeEvents() == ["create \(resourcePaths)/nodes/n"])
  }
}
