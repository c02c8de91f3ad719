import CalicoModel
import Datastore
import Testing

@testable import ipam_node

@Suite("A missing file is no empty datastore")
struct ExistingDatastoreTests {
  private let missing = ExistingDatastore(base: InMemoryDatastore(), path: "/nonexistent/ipam.db")
  private let present = ExistingDatastore(base: InMemoryDatastore(), path: "/proc/self/comm")
  private let listing = Read.list(Listing(.resources(.node)))

  @Test("reads, commits and watches fail, and name the file and the setting")
  func failures() async throws {
    let deadline = Deadline.after(milliseconds: 1000)
    let error = await #expect(throws: DatastoreError.self) { try await missing.read([listing], deadline: deadline) }
    #expect(error?.description.contains("/nonexistent/ipam.db") == true)
    #expect(error?.advice.contains("--database-file") == true)
    await #expect(throws: DatastoreError.self) { try await missing.commit(Plan(), deadline: deadline) }
    var iterator = missing.watch([.resources(.node)], from: nil).makeAsyncIterator()
    await #expect(throws: DatastoreError.self) { try await iterator.next() }
  }

  @Test("what is there is read and watched as it is")
  func passage() async throws {
    let results = try await present.read([listing], deadline: .after(milliseconds: 1000))
    #expect(results.count == 1)
    var iterator = present.watch([.resources(.node)], from: nil).makeAsyncIterator()
    #expect(try await iterator.next() != nil)
  }
}
