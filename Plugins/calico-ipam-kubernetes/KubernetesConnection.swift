import CalicoPlugin
import Datastore
import DatastoreSettings
import KubernetesClient
import KubernetesDatastore
import KubernetesWorkloads

extension ClusterPlugin where Store == KubernetesDatastore {
  /// The plugin on Kubernetes. Datastore and look-ups share one connection where they are about the same server and
  /// credentials.
  static var kubernetes: Self {
    Self(.kubernetes) { settings in
      let access = settings.datastore.kubernetes
      let client: KubernetesClient
      do throws(KubernetesTransportError) {
        client = try KubernetesClient(access)
      } catch {
        throw DatastoreError(.unusable, error.description, advice: error.advice)
      }
      var options = KubernetesDatastore.Options()
      options.apiGroup = access.apiGroup
      options.usesPodCIDR = access.usesPodCIDR
      options.server = client.server
      options.discoveryCache = "/run/swift-ipam/calico-ipam/api-group"
      let store = KubernetesDatastore(client, options: options)
      var connection = Connection(store)
      connection.waitsForLists = true
      let own = settings.network.clientSettings(besides: access)
      connection.workloads = { try KubernetesWorkloads(own == access ? client : KubernetesWorkloads.client(own)) }
      connection.upgradeHost = { node, deadline in try await store.upgradeHost(node, deadline: deadline) }
      return connection
    }
  }
}
