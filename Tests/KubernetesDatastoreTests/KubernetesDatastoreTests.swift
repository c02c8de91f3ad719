import Datastore
import DatastoreContract
import DatastoreSettings
import KubernetesClient
import KubernetesDatastore
import TestSupport
import Testing

@Suite("Kubernetes datastore", .serialized, .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"))
struct KubernetesDatastoreTests {
  @Test("keeps the contract with the first group", arguments: DatastoreContract.rules)
  func contract(rule: DatastoreContract.Rule) async throws {
    let server = try KubernetesServer.shared
    var settings = KubernetesSettings()
    settings.kubeconfig = server.kubeconfig
    let client = try KubernetesClient(settings)
    try await DatastoreContract(keepsAnyText: false) {
      for plural in ["ipamblocks", "blockaffinities", "ipamhandles", "ipamconfigs", "ippools", "ipreservations"] {
        try server.request("DELETE", "/apis/crd.projectcalico.org/v1/\(plural)")
      }
      return KubernetesDatastore(client)
    }.check(rule)
    await client.close()
  }
}
