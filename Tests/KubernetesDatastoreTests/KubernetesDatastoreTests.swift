import Datastore
import DatastoreContract
import DatastoreSettings
import KubernetesClient
import KubernetesDatastore
import TestSupport
import Testing

extension OnKubernetes {
  @Suite("The contract of all datastores, on Kubernetes")
  struct KubernetesDatastoreTests {
    @Test("is kept with the first group", arguments: DatastoreContract.rules)
    func firstGroup(rule: DatastoreContract.Rule) async throws {
      try await check(rule, try TestCluster.first.get())
    }

    @Test("is kept with the second group", arguments: DatastoreContract.rules)
    func secondGroup(rule: DatastoreContract.Rule) async throws {
      try await check(rule, try TestCluster.second.get())
    }

    private func check(_ rule: DatastoreContract.Rule, _ cluster: TestCluster) async throws {
      let client = try cluster.client()
      try await DatastoreContract(keepsAnyText: false) {
        try await cluster.empty(client)
        return KubernetesDatastore(client)
      }.check(rule)
      await client.close()
    }
  }
}
