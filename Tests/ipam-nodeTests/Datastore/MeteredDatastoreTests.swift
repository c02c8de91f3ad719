import CalicoModel
import Datastore
import IPAddressing
import Synchronization
import Testing

@testable import ipam_node

@Suite("What is read is counted")
struct MeteredDatastoreTests {
  private final class Meter: Sendable {
    private let bytes = Mutex(0)

    var total: Int { bytes.withLock { $0 } }

    func add(_ count: Int) { bytes.withLock { $0 += count } }
  }

  private let text = Array(#"{"kind":"Node"}"#.utf8)
  private let key = Key.resource(.node, "n1")

  private func stores() async throws -> (store: MeteredDatastore, meter: Meter) {
    let meter = Meter()
    let store = MeteredDatastore(base: InMemoryDatastore(), count: { meter.add($0) })
    let plan = Plan([Change(key, base: .absent, final: .value(.resource(text)))])
    _ = try await store.commit(plan, deadline: .after(milliseconds: 1000))
    return (store, meter)
  }

  @Test("values of entries and listings count, keys and what is not there do not")
  func reads() async throws {
    let (store, meter) = try await stores()
    let deadline = Deadline.after(milliseconds: 1000)
    _ = try await store.read(
      [.entry(.resource(.node, "n2")), .list(Listing(.resources(.node), .keys))], deadline: deadline)
    #expect(meter.total == 0)
    _ = try await store.read([.entry(key), .list(Listing(.resources(.node)))], deadline: deadline)
    #expect(meter.total == 2 * text.count)
  }

  @Test("what a watch tells counts, event by event and in order")
  func watching() async throws {
    let (store, meter) = try await stores()
    var iterator = store.watch([.resources(.node)], from: nil).makeAsyncIterator()
    guard case .snapshot(_, let items, _)? = try await iterator.next() else {
      Issue.record("a watch begins with what there is")
      return
    }
    #expect(items.map(\.key) == [key])
    #expect(meter.total == text.count)
    guard case .bookmark? = try await iterator.next() else {
      Issue.record("after that it tells where it is")
      return
    }
    #expect(meter.total == text.count)
  }
}
