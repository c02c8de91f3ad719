extension NetworkConnection {
  /// Whether the configuration says where a Kubernetes API server is, or who we are to it.
  public var hasKubernetesAccess: Bool {
    ![kubeconfig, server, policyServer, policyToken, policyKeyFile, policyCertificateFile, policyAuthorityFile]
      .allSatisfy(\.isEmpty)
  }

  /// Whether the namespaces of workloads are looked up (front-end specification, section 1.6, step 3).
  public var looksUpNamespaces: Bool { !kubeconfig.isEmpty || policyType == "k8s" }

  /// The environment as a plugin sees it: what the configuration says has been written over what was there.
  ///
  /// - Parameter environment: the variables of the process.
  /// - Returns: the variables, of which those with the prefix `CALICO_` still count before all others.
  public func environment(over environment: [String: String]) -> [String: String] {
    var result = environment
    let texts = [
      ("DATASTORE_TYPE", datastoreType), ("DATABASE_FILE", databaseFile), ("ETCD_ENDPOINTS", etcdEndpoints),
      ("ETCD_DISCOVERY_SRV", etcdDiscoveryDomain), ("ETCD_KEY_FILE", etcdKeyFile),
      ("ETCD_CERT_FILE", etcdCertificateFile), ("ETCD_CA_CERT_FILE", etcdAuthorityFile), ("KUBECONFIG", kubeconfig),
      ("K8S_API_ENDPOINT", server), ("CALICO_API_GROUP", apiGroup),
      ("K8S_CLIENT_QPS", queriesPerSecond == 0 ? "" : String(queriesPerSecond)),
      ("K8S_CLIENT_BURST", burst == 0 ? "" : String(burst)),
    ]
    for (name, text) in texts where !text.isEmpty { result[name] = text }
    return result
  }

  /// The settings of the plugin's datastore: the configuration over the environment (front-end specification, section
  /// 7.4).
  ///
  /// The keys of `policy` are those of another client and have no effect on the datastore's, as upstream. Only when
  /// nothing else tells who we are to the server does the datastore take them as well, where upstream would fail or take
  /// the service account of a pod that a plugin is not in.
  ///
  /// - Parameters:
  ///   - environment: the variables of the process.
  ///   - engine: what is meant when nothing says which engine.
  ///   - fileExists: whether there is a file at a path, to find `$HOME/.kube/config`; nil to look.
  /// - Returns: the settings.
  /// - Throws: ``DatastoreSettingsError`` when a variable cannot be understood.
  public func datastoreSettings(
    environment: [String: String],
    otherwise engine: DatastoreEngine = .kubernetes,
    fileExists: ((String) -> Bool)? = nil
  ) throws(DatastoreSettingsError) -> DatastoreSettings {
    var settings = try DatastoreSettings(
      environment: self.environment(over: environment), otherwise: engine, fileExists: fileExists)
    let said = settings.kubernetes
    if said.kubeconfig.isEmpty, said.token.isEmpty, said.certificate == nil, said.key == nil {
      apply(to: &settings.kubernetes)
      if !said.server.isEmpty { settings.kubernetes.server = said.server }
      settings.kubernetes.authority = said.authority ?? settings.kubernetes.authority
    }
    return settings
  }

  /// The settings of the plugin's own client, which reads pods, namespaces and nodes (front-end specification, section
  /// 7.5).
  ///
  /// - Parameter datastore: the datastore's settings, from which limits are taken, and with which the server is found when
  ///   the configuration says nothing about it; nil without a datastore in Kubernetes.
  /// - Returns: the settings.
  public func clientSettings(besides datastore: KubernetesSettings? = nil) -> KubernetesSettings {
    guard hasKubernetesAccess else { return datastore ?? KubernetesSettings() }
    var settings = KubernetesSettings()
    settings.kubeconfig = kubeconfig
    apply(to: &settings)
    if let datastore {
      settings.apiGroup = datastore.apiGroup
      settings.usesPodCIDR = datastore.usesPodCIDR
      settings.queriesPerSecond = datastore.queriesPerSecond
      settings.burst = datastore.burst
    }
    return settings
  }

  /// Overrides what the keys of `policy` and the server of `kubernetes` say.
  private func apply(to settings: inout KubernetesSettings) {
    if !policyServer.isEmpty { settings.server = Self.root(of: policyServer) }
    if !server.isEmpty { settings.server = server }
    if !policyToken.isEmpty { settings.token = policyToken }
    if !policyKeyFile.isEmpty { settings.key = .file(policyKeyFile) }
    if !policyCertificateFile.isEmpty { settings.certificate = .file(policyCertificateFile) }
    if !policyAuthorityFile.isEmpty { settings.authority = .file(policyAuthorityFile) }
  }

  /// A URL up to the first `/api/`, which old configurations end with.
  private static func root(of url: String) -> String {
    let pattern = Array("/api/".utf8)
    let bytes = Array(url.utf8)
    guard bytes.count >= pattern.count else { return url }
    for start in 0...(bytes.count - pattern.count) where bytes[start...].starts(with: pattern) {
      return String(decoding: bytes[..<start], as: UTF8.self)
    }
    return url
  }
}
