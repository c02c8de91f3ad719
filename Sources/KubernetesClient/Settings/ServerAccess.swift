import DatastoreSettings

/// The server that settings lead to, and who we are to it.
struct ServerAccess: Hashable, Sendable {
  var server: ServerAddress
  var authority: Kubeconfig.PEMOrigin?
  var skipsVerification = false
  /// The name that the server's certificate must have; empty for that of its address.
  var serverName = ""
  var proxy: ServerAddress?
  /// Whether the proxy speaks SOCKS 5, and not HTTP.
  var proxySpeaksSOCKS = false
  var certificate: Kubeconfig.PEMOrigin?
  var key: Kubeconfig.PEMOrigin?
  /// Counts until the file of ``tokenFile`` has been read.
  var token = ""
  var tokenFile = ""
  var username = ""
  var password = ""

  /// Works out where to go: the kubeconfig's context, with what the settings override; or else the server that they
  /// name; or else the cluster that this process runs in (front-end specification, section 7.3).
  ///
  /// - Parameters:
  ///   - settings: what is configured.
  ///   - environment: what a pod gives its processes.
  /// - Throws: ``KubernetesTransportError`` with the code `settings`.
  init(_ settings: KubernetesSettings, _ environment: KubernetesEnvironment) throws(KubernetesTransportError) {
    if !settings.kubeconfig.isEmpty || !settings.kubeconfigText.isEmpty {
      let kubeconfig =
        if !settings.kubeconfigText.isEmpty {
          try Kubeconfig(settings.kubeconfigText, file: nil)
        } else {
          try Kubeconfig(paths: settings.kubeconfig)
        }
      try self.init(kubeconfig, settings)
    } else if !settings.server.isEmpty {
      self.init(try Self.address(settings.server, named: "the configured server"))
    } else {
      try self.init(cluster: environment)
    }
    try apply(settings)
    guard (certificate == nil) == (key == nil) else {
      throw KubernetesTransportError(
        .settings,
        "a client \(certificate == nil ? "key" : "certificate") for \(server.url) is configured without its "
          + (certificate == nil ? "certificate" : "key"),
        advice: "configure both, or neither")
    }
  }

  private init(_ server: ServerAddress) {
    self.server = server
  }

  /// The context of a kubeconfig.
  private init(_ kubeconfig: Kubeconfig, _ settings: KubernetesSettings) throws(KubernetesTransportError) {
    let name = settings.context.isEmpty ? kubeconfig.currentContext : settings.context
    var context = Kubeconfig.Context()
    if let found = kubeconfig.contexts[name] {
      context = found
    } else if !name.isEmpty {
      throw KubernetesTransportError(
        .settings, "\(kubeconfig.name) has no context \"\(name)\"",
        advice: Self.choice("context", kubeconfig.contexts.keys))
    } else if settings.server.isEmpty {
      throw KubernetesTransportError(
        .settings, "\(kubeconfig.name) has no current context, and no context is configured",
        advice: Self.choice("context", kubeconfig.contexts.keys))
    }
    let cluster = kubeconfig.clusters[context.cluster] ?? Kubeconfig.Cluster()
    let address = settings.server.isEmpty ? cluster.server : settings.server
    guard !address.isEmpty else {
      throw KubernetesTransportError(
        .settings,
        "context \"\(name)\" of \(kubeconfig.name) leads to no server: cluster \"\(context.cluster)\" "
          + (kubeconfig.clusters[context.cluster] == nil ? "is not there" : "names none"),
        advice: Self.choice("cluster", kubeconfig.clusters.keys))
    }
    server = try Self.address(address, named: "the server of \(kubeconfig.name)")
    authority = cluster.authority
    skipsVerification = cluster.skipsVerification
    serverName = cluster.serverName
    if !cluster.proxy.isEmpty { try use(proxy: cluster.proxy) }
    guard !context.user.isEmpty else { return }
    guard let user = kubeconfig.users[context.user] else {
      throw KubernetesTransportError(
        .settings, "\(kubeconfig.name) has no user \"\(context.user)\", which context \"\(name)\" names",
        advice: Self.choice("user", kubeconfig.users.keys))
    }
    certificate = user.certificate
    key = user.key
    token = user.token
    tokenFile = user.tokenFile
    username = user.username
    password = user.password
    let hasOther = !settings.token.isEmpty || !settings.tokenFile.isEmpty || settings.certificate != nil
    if let method = user.unsupported, !hasOther {
      throw KubernetesTransportError(
        .settings,
        "user \"\(context.user)\" of \(kubeconfig.name) gets its credentials by \(method), which this "
          + "program does not run",
        advice: "use a token, a tokenFile or a client certificate; "
          + "kubectl create token SERVICEACCOUNT makes a token")
    }
  }

  /// The cluster whose pod this process is in.
  private init(cluster environment: KubernetesEnvironment) throws(KubernetesTransportError) {
    let host = environment.variable("KUBERNETES_SERVICE_HOST") ?? ""
    let port = environment.variable("KUBERNETES_SERVICE_PORT") ?? ""
    guard !host.isEmpty, !port.isEmpty else {
      throw KubernetesTransportError(
        .settings,
        "no Kubernetes configuration: neither a kubeconfig nor a server is configured, and this process is "
          + "in no pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set)",
        advice: "name a kubeconfig: KUBECONFIG, or kubernetes.kubeconfig in a network configuration")
    }
    let url = "https://" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
    server = try Self.address(url, named: "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT")
    tokenFile = environment.serviceAccountFolder + "/token"
    authority = .file(environment.serviceAccountFolder + "/ca.crt")
  }

  /// What is configured goes before what a kubeconfig says.
  private mutating func apply(_ settings: KubernetesSettings) throws(KubernetesTransportError) {
    if let source = settings.authority {
      authority = Self.origin(source, "the configured certificate authority")
      skipsVerification = false
    }
    if settings.skipsVerification { skipsVerification = true }
    if let source = settings.certificate { certificate = Self.origin(source, "the configured client certificate") }
    if let source = settings.key { key = Self.origin(source, "the configured client key") }
    guard !settings.token.isEmpty || !settings.tokenFile.isEmpty else { return }
    token = settings.token
    tokenFile = settings.tokenFile
    username = ""
    password = ""
  }

  private mutating func use(proxy text: String) throws(KubernetesTransportError) {
    // A proxy that speaks SOCKS has the port 1080 unless it says otherwise (RFC 1928).
    let isSOCKS = text.hasPrefix("socks5://")
    let scheme = isSOCKS ? "http://" + text.dropFirst("socks5://".count) : text
    guard isSOCKS || text.hasPrefix("http://"), var address = ServerAddress(scheme), address.prefix.isEmpty else {
      throw KubernetesTransportError(
        .settings, "proxy-url \(text) cannot be used: only http://HOST:PORT and socks5://HOST:PORT can",
        advice: "correct it, or leave it out when the server can be reached without a proxy")
    }
    if isSOCKS, address.port == 80, !text.hasSuffix(":80") { address.port = 1080 }
    proxy = address
    proxySpeaksSOCKS = isSOCKS
  }

  private static func address(_ url: String, named name: String) throws(KubernetesTransportError) -> ServerAddress {
    guard let address = ServerAddress(url) else {
      throw KubernetesTransportError(
        .settings, "\(name) is no URL of an API server: \(url)", advice: "write it as https://HOST:PORT")
    }
    return address
  }

  private static func origin(_ source: PEMSource, _ name: String) -> Kubeconfig.PEMOrigin? {
    switch source {
    case .file(let path): path.isEmpty ? nil : .file(path)
    case .text(let text): text.isEmpty ? nil : .data(Array(text.utf8), name: name)
    }
  }

  private static func choice(_ kind: String, _ names: some Collection<String>) -> String {
    names.isEmpty
      ? "add a \(kind) to the kubeconfig, or name another kubeconfig"
      : "there is: " + names.sorted().joined(separator: ", ")
  }
}
