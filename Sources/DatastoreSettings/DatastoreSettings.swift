/// Which datastore to use, and how to reach it.
///
/// The members are those of calicoctl's configuration file, of the environment and of the CNI configuration (front-end
/// specification, section 7). An empty text means that nothing was said.
public struct DatastoreSettings: Hashable, Sendable {
  /// What keeps the entries.
  public var engine: DatastoreEngine
  /// The file of the embedded datastore.
  public var databaseFile: String
  public var etcd: EtcdSettings
  public var kubernetes: KubernetesSettings

  public init(
    _ engine: DatastoreEngine = .sqlite,
    databaseFile: String = "/var/lib/swift-ipam/ipam.db",
    etcd: EtcdSettings = EtcdSettings(),
    kubernetes: KubernetesSettings = KubernetesSettings()
  ) {
    self.engine = engine
    self.databaseFile = databaseFile
    self.etcd = etcd
    self.kubernetes = kubernetes
  }
}

/// The engines, by the names that configurations use.
public enum DatastoreEngine: String, Hashable, Sendable, CaseIterable {
  case sqlite
  case etcd = "etcdv3"
  case kubernetes
}
