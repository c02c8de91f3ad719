import Datastore
import DatastoreContract
import Testing

@Suite("The store in memory keeps the contract")
struct InMemoryContractTests {
  @Test("with plans made as a whole", arguments: DatastoreContract.rules)
  func atomic(rule: DatastoreContract.Rule) async throws {
    try await DatastoreContract { InMemoryDatastore() }.check(rule)
  }

  @Test("with plans made stage by stage", arguments: DatastoreContract.rules)
  func staged(rule: DatastoreContract.Rule) async throws {
    try await DatastoreContract { InMemoryDatastore(commitsAtomically: false) }.check(rule)
  }
}
