import CalicoPlugin
import DatastoreSettings
import EtcdDatastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@main
struct Main {
  static func main() async {
    let plugin = ClusterPlugin(.etcd) { ClusterPlugin.Connection(try EtcdDatastore($0.datastore.etcd)) }
    exit(await plugin.run())
  }
}
