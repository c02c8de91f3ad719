public import DatastoreSettings

extension DatastoreSettings {
  /// What an operator is told the datastore is.
  public var datastoreName: String {
    switch engine {
    case .sqlite: databaseFile
    case .etcd: etcd.datastoreName
    case .kubernetes: kubernetes.datastoreName
    }
  }
}

extension EtcdSettings {
  /// The endpoints, or where they are looked up.
  var datastoreName: String {
    if endpoints.isEmpty, !discoveryDomain.isEmpty { return "etcd of the domain \(discoveryDomain)" }
    return endpoints.isEmpty ? "etcd without endpoints" : "etcd at " + endpoints.joined(separator: ", ")
  }
}

extension KubernetesSettings {
  /// The server if it is known, else what says where it is.
  var datastoreName: String {
    if !server.isEmpty { return "Kubernetes API server \(server)" }
    let context = context.isEmpty ? "" : " (context \(context))"
    if !kubeconfigText.isEmpty { return "Kubernetes API server of the kubeconfig in the settings\(context)" }
    if !kubeconfig.isEmpty { return "Kubernetes API server of the kubeconfig \(kubeconfig)\(context)" }
    return "Kubernetes API server of this pod's service account"
  }
}
