extension DatastoreSettings {
  /// Where the datastore is, in a form that tells one from another: what a host remembers of one cluster is not to be
  /// taken for another's. Holds no secret.
  public var identity: String {
    switch engine {
    case .sqlite: databaseFile
    case .etcd: (etcd.endpoints.sorted() + [etcd.discoveryDomain]).joined(separator: ",")
    case .kubernetes: [kubernetes.server, kubernetes.kubeconfig, kubernetes.context].joined(separator: ",")
    }
  }

  /// ``identity`` as a name for files.
  public var identityDigest: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in (engine.rawValue + " " + identity).utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return String(hash, radix: 16)
  }
}
