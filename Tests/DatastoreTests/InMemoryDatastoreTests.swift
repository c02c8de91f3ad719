import CalicoModel
import Datastore
import IPAddressing
import Testing

@Suite("The store in memory")
struct InMemoryDatastoreTests {
  private static let handles = "/calico/ipam/v2/handle/"

  private func paths(_ items: [ListResult.Item]) -> [String] { items.map { KeyPath.path(of: $0.key) } }

  private func list(_ store: InMemoryDatastore, _ listing: Listing) async throws -> ListResult {
    guard case .list(let result) = try await store.read([.list(listing)], deadline: .distantFuture)[0] else {
      Issue.record("an entry came back for a listing")
      return ListResult(items: [])
    }
    return result
  }

  @Test("what was loaded is dumped, whatever it is")
  func dumps() {
    let entries: [String: [UInt8]] = [
      "/calico/ipam/v2/config": Array("{}".utf8), "/calico/ipam/v2/host/node1": [], "/elsewhere": [0xFF],
      "/calico/ipam/v2/handle/a/b": [1], "/calico/ipam/v2/@/node1/ipv4/block/10.65.0.0-26": [2],
    ]
    let store = InMemoryDatastore()
    store.load(entries)
    #expect(store.dump() == entries)
    store.put([3], at: "/elsewhere")
    store.put(nil, at: "/calico/ipam/v2/host/node1")
    #expect(store.dump().count == 4)
    #expect(store.dump()["/elsewhere"] == [3])
  }

  @Test("loading counts revisions in the order of the paths")
  func revisionsOfLoading() async throws {
    let store = InMemoryDatastore()
    store.load([Self.handles + "b": [2], Self.handles + "a": [1], Self.handles + "c": [3]])
    let items = try await list(store, Listing(.handles)).items
    #expect(items.map(\.stored?.revision) == [Revision(1), Revision(2), Revision(3)])
    #expect(store.put([4], at: Self.handles + "a") == Revision(4))
  }

  @Test("a listing leaves out what no key names, and the marker of a host")
  func foreignEntries() async throws {
    let store = InMemoryDatastore()
    let affinity = "/calico/ipam/v2/host/node1/ipv4/block/10.65.0.0-26"
    store.load([
      affinity: [], "/calico/ipam/v2/host/node1": [], "/calico/ipam/v2/host/node1/other": [],
      "/calico/ipam/v2/host/node1/ipv4/block/10.65.0.1-26": [], "/calico/ipam/v2/host/node1/ipv4/block/fd00::-122": [],
      "/calico/ipam/v2/@/node1/ipv4/block/10.65.0.64-26": [], Self.handles + "a/b": [], Self.handles + "a": [],
    ])
    #expect(try await paths(list(store, Listing(.allAffinities(.host))).items) == [affinity])
    let owner = BlockOwner(.host, "node1")
    #expect(try await paths(list(store, Listing(.affinities(owner, nil), limit: 1)).items) == [affinity])
    #expect(try await list(store, Listing(.affinities(owner, nil), limit: 1)).hasMore == false)
    #expect(try await paths(list(store, Listing(.handles)).items) == [Self.handles + "a"])
    // By its key an entry that is never listed can be read.
    let results = try await store.read([.entry(.handle("a/b"))], deadline: .distantFuture)
    guard case .entry(let stored) = try #require(results.first) else {
      Issue.record("a listing came back for an entry")
      return
    }
    #expect(stored != nil)
  }

  @Test("names that are equal as characters but not as bytes are different entries")
  func equivalentNames() async throws {
    let store = InMemoryDatastore()
    store.put([1], at: Self.handles + "\u{E9}")
    store.put([2], at: Self.handles + "e\u{301}")
    #expect(try await list(store, Listing(.handles)).items.map(\.stored?.bytes) == [[2], [1]])
  }

  @Test("entries stay in order whatever is written after a listing")
  func orderAfterListing() async throws {
    let store = InMemoryDatastore()
    for round in 0..<150 {
      store.put([], at: Self.handles + "\(round * 37 % 50)")
      if round % 3 == 0 { store.put(nil, at: Self.handles + "\(round * 11 % 50)") }
      if round % 7 == 0 { _ = try await list(store, Listing(.handles)) }
    }
    let expected = store.dump().keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    #expect(try await paths(list(store, Listing(.handles)).items) == expected)
  }

  @Test("nothing is read or written after the deadline")
  func deadlines() async throws {
    let store = InMemoryDatastore()
    let passed = Deadline(nanoseconds: 0)
    await #expect(throws: DatastoreError.self) { try await store.read([], deadline: passed) }
    let plan = Plan([Change(.configuration, base: .absent, final: .value(.configuration(IPAMConfiguration())))])
    await #expect(throws: DatastoreError.self) { try await store.commit(plan, deadline: passed) }
    #expect(store.dump().isEmpty)
  }
}
