#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension DatastoreSettings {
  /// Reads the settings from variables of the environment (front-end specification, section 7.1).
  ///
  /// The engine is the one that `DATASTORE_TYPE` names; without it etcd, when there are endpoints of it, and else the one
  /// that is given. `DATABASE_FILE` is an extension: the file of the embedded datastore.
  ///
  /// - Parameters:
  ///   - environment: the variables.
  ///   - engine: what is meant when nothing says which engine; upstream's programs mean Kubernetes.
  ///   - fileExists: whether there is a file at a path, to find `$HOME/.kube/config`; nil to look.
  /// - Throws: ``DatastoreSettingsError`` when a variable cannot be understood; one that is to be a truth value or a
  ///   number must not be empty either.
  public init(
    environment: [String: String],
    otherwise engine: DatastoreEngine = .kubernetes,
    fileExists: ((String) -> Bool)? = nil
  ) throws(DatastoreSettingsError) {
    self.init()
    let variables = EnvironmentVariables { environment[$0] }
    etcd = EtcdSettings(variables)
    kubernetes = try KubernetesSettings(variables)
    let file = variables.text("DATABASE_FILE")
    if !file.isEmpty { databaseFile = file }
    let type = variables.text("DATASTORE_TYPE")
    if let named = DatastoreEngine(rawValue: type) {
      self.engine = named
    } else if type.isEmpty {
      self.engine = etcd.endpoints.isEmpty ? engine : .etcd
    } else {
      throw DatastoreSettingsError(
        "unknown datastore type: \(type)", advice: "DATASTORE_TYPE is one of sqlite, etcdv3 and kubernetes")
    }
    if self.engine == .kubernetes {
      kubernetes.findUsersKubeconfig(environment["HOME"] ?? "", fileExists ?? { access($0, F_OK) == 0 })
    }
  }
}

extension EtcdSettings {
  fileprivate init(_ variables: EnvironmentVariables) {
    self.init()
    endpoints = Self.endpoints(in: variables.text("ETCD_ENDPOINTS"))
    discoveryDomain = variables.text("ETCD_DISCOVERY_SRV")
    username = variables.text("ETCD_USERNAME")
    password = variables.text("ETCD_PASSWORD")
    key = variables.file("ETCD_KEY_FILE")
    certificate = variables.file("ETCD_CERT_FILE")
    authority = variables.file("ETCD_CA_CERT_FILE")
  }

  /// The endpoints in a list such as variables and configuration files have it.
  ///
  /// - Parameter list: URLs separated by commas; space around them does not count.
  /// - Returns: the URLs as they were written.
  public static func endpoints(in list: String) -> [String] {
    list.split(separator: ",").map { part in
      var part = part
      while part.first?.isWhitespace == true { part.removeFirst() }
      while part.last?.isWhitespace == true { part.removeLast() }
      return String(part)
    }.filter { !$0.isEmpty }
  }
}

extension KubernetesSettings {
  fileprivate init(_ variables: EnvironmentVariables) throws(DatastoreSettingsError) {
    self.init()
    kubeconfig = variables.text("KUBECONFIG")
    server = variables.text("K8S_API_ENDPOINT")
    key = variables.file("K8S_KEY_FILE")
    certificate = variables.file("K8S_CERT_FILE")
    authority = variables.file("K8S_CA_FILE")
    // Upstream declares no variable for the token, so that only its generic name is read.
    token = variables.value("CALICO_K8SAPITOKEN") ?? ""
    skipsVerification = try variables.flag("K8S_INSECURE_SKIP_TLS_VERIFY") ?? false
    // Nothing here polls nodes; a value that upstream would refuse is refused all the same.
    _ = try variables.flag("K8S_DISABLE_NODE_POLL")
    usesPodCIDR = try variables.flag("USE_POD_CIDR") ?? false
    queriesPerSecond = try variables.number("K8S_CLIENT_QPS") ?? 0
    burst = try variables.count("K8S_CLIENT_BURST") ?? burst
    context = variables.text("K8S_CURRENT_CONTEXT")
    apiGroup = variables.text("CALICO_API_GROUP")
  }

  /// Takes the user's own kubeconfig, when nothing else says where the server is.
  ///
  /// - Parameters:
  ///   - home: the user's directory; empty for none.
  ///   - fileExists: whether there is a file at a path.
  public mutating func findUsersKubeconfig(_ home: String, _ fileExists: (String) -> Bool) {
    guard kubeconfig.isEmpty, kubeconfigText.isEmpty, server.isEmpty, !home.isEmpty else { return }
    let path = home + "/.kube/config"
    if fileExists(path) { kubeconfig = path }
  }
}
