import CalicoPlugin
import DatastoreSettings
import EtcdDatastore
import KubernetesWorkloads

extension ClusterPlugin where Store == EtcdDatastore {
  /// The plugin on etcd, with look-ups in Kubernetes where the configuration gives access to it.
  static var etcd: Self {
    Self(.etcd) { settings in
      var connection = Connection(try EtcdDatastore(settings.datastore.etcd))
      let network = settings.network
      connection.workloads = { KubernetesWorkloads(try KubernetesWorkloads.client(network.clientSettings())) }
      return connection
    }
  }
}
