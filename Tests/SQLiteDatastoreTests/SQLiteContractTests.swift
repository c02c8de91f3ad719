import Datastore
import DatastoreContract
import Testing

@testable import SQLiteDatastore

@Suite("A SQLite file keeps the contract of all stores")
struct SQLiteContractTests {
  @Test("every rule", arguments: DatastoreContract.rules)
  func contract(rule: DatastoreContract.Rule) async throws {
    let scratch = try ScratchStore()
    try await DatastoreContract { scratch.open() }.check(rule)
  }
}
