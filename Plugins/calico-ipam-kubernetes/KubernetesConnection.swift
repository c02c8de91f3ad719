import CalicoPlugin
import DatastoreSettings
import KubernetesClient
import KubernetesDatastore

extension ClusterPlugin where Store == KubernetesDatastore {
  /// The plugin on Kubernetes.
  static var kubernetes: Self {
    Self(.kubernetes) { settings in
      let kubernetes = settings.datastore.kubernetes
      var options = KubernetesDatastore.Options()
      options.apiGroup = kubernetes.apiGroup
      options.usesPodCIDR = kubernetes.usesPodCIDR
      options.discoveryCache = "/run/swift-ipam/calico-ipam/api-group-" + settings.datastore.identityDigest
      return Connection(KubernetesDatastore(try KubernetesClient(kubernetes), options: options))
    }
  }
}
