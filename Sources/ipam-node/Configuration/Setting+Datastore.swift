import DatastoreSettings
import JSON

extension Setting {
  /// Where pools, blocks and nodes are. The keys, and the variables behind them, are those of Calico's programs.
  static let datastore: [Setting] = [
    .choice(
      "datastore-type", .datastore, \.datastore.engine,
      """
      What keeps pools, blocks and nodes: sqlite is a file of this host, the embedded datastore. Where nothing is said, \
      endpoints of etcd mean etcdv3.
      """
    ).known("DATASTORE_TYPE"),
    .text(
      "database-file", .datastore, \.datastore.databaseFile, called: "path",
      "The file of the embedded datastore, which calico-ipam keeps its blocks in."),
    .texts(
      "etcd-endpoints", .datastore, \.datastore.etcd.endpoints, called: "url,...",
      "Where etcd is, such as https://10.0.0.1:2379."
    ).known("ETCD_ENDPOINTS"),
    .text(
      "etcd-discovery-srv", .datastore, \.datastore.etcd.discoveryDomain, called: "domain",
      "The domain whose SRV records name etcd's endpoints."
    ).known("ETCD_DISCOVERY_SRV"),
    .text(
      "etcd-username", .datastore, \.datastore.etcd.username, called: "name", "Who the agent is to etcd."
    ).known("ETCD_USERNAME"),
    .text(
      "etcd-password", .datastore, \.datastore.etcd.password, called: "text",
      "Its password. Whoever may see this host's processes sees it on a command line: a file is the place for it."
    ).known("ETCD_PASSWORD").secret,
    .file("etcd-key-file", \.datastore.etcd.key, "The private key of the agent's certificate.", "ETCD_KEY_FILE"),
    .file("etcd-cert-file", \.datastore.etcd.certificate, "The agent's certificate, for etcd.", "ETCD_CERT_FILE"),
    .file(
      "etcd-ca-cert-file", \.datastore.etcd.authority, "Who signs the certificates of etcd's servers.",
      "ETCD_CA_CERT_FILE"),
    .text(
      "kubeconfig", .datastore, \.datastore.kubernetes.kubeconfig, called: "path:...",
      """
      The kubeconfig that says where the API server is. Without it and without k8sAPIEndpoint it is $HOME/.kube/config, \
      or else the service account of the pod that the agent runs in.
      """
    ).known("KUBECONFIG"),
    .text(
      "k8s-api-endpoint", .datastore, \.datastore.kubernetes.server, called: "url",
      "The API server, whatever the kubeconfig says."
    ).known("K8S_API_ENDPOINT"),
    .text(
      "k8s-current-context", .datastore, \.datastore.kubernetes.context, called: "name",
      "The context of the kubeconfig."
    ).known("K8S_CURRENT_CONTEXT"),
    .file(
      "k8s-key-file", \.datastore.kubernetes.key, "The private key of the agent's certificate, for the API server.",
      "K8S_KEY_FILE"),
    .file(
      "k8s-cert-file", \.datastore.kubernetes.certificate, "The agent's certificate, for the API server.",
      "K8S_CERT_FILE"),
    .file(
      "k8s-ca-file", \.datastore.kubernetes.authority, "Who signs the certificate of the API server.", "K8S_CA_FILE"),
    .text(
      "k8s-token-file", .datastore, \.datastore.kubernetes.tokenFile, called: "path",
      "A file with the agent's bearer token, read again when it changes."),
    .toggle(
      "k8s-insecure-skip-tls-verify", .datastore, \.datastore.kubernetes.skipsVerification,
      "Believe whoever answers in the API server's place. For trying out."
    ).known("K8S_INSECURE_SKIP_TLS_VERIFY"),
    .rate(
      "k8s-client-qps", \.datastore.kubernetes.queriesPerSecond,
      "The most requests a second on the average; 0 for no limit.", "K8S_CLIENT_QPS"),
    .number(
      "k8s-client-burst", .datastore, \.datastore.kubernetes.burst, 1...Int(Int32.max),
      "How many requests are made at once before that limit applies."
    ).known("K8S_CLIENT_BURST"),
    .text(
      "calico-api-group", .datastore, \.datastore.kubernetes.apiGroup, called: "group/version",
      "crd.projectcalico.org/v1 or projectcalico.org/v3. Without it the API server is asked which it has."
    ).known("CALICO_API_GROUP"),
  ]

  /// The setting with the variable by which Calico's programs are told the same.
  private func known(_ variable: String) -> Setting {
    var setting = self
    setting.calicoVariable = variable
    return setting
  }

  /// The setting with a value that is shown to nobody.
  private var secret: Setting {
    var setting = self
    setting.isSecret = true
    return setting
  }

  /// The path of a file in PEM.
  private static func file(
    _ name: String, _ place: Place<PEMSource?>, _ help: String, _ variable: String
  ) -> Setting {
    Setting(
      name: SettingName(name), section: .datastore, form: .value("path"), help: help,
      take: { given, configuration throws(Problem) in
        guard let path = string(given), !path.isEmpty, !path.contains("\0") else { throw .expected("a path", given) }
        configuration[keyPath: place] = .file(path)
      },
      value: { configuration in
        guard case .file(let path) = configuration[keyPath: place] else { return .string("") }
        return .string(path)
      },
      calicoVariable: variable)
  }

  /// How often something may be done in a second.
  private static func rate(_ name: String, _ place: Place<Double>, _ help: String, _ variable: String) -> Setting {
    Setting(
      name: SettingName(name), section: .datastore, form: .value("number"), help: help,
      take: { given, configuration throws(Problem) in
        let text = integer(given) ?? ""
        guard let value = Double(text), value.isFinite, value >= 0 else {
          throw .expected("a number, 0 or more", given)
        }
        configuration[keyPath: place] = value
      },
      value: { configuration in
        let value = configuration[keyPath: place]
        if let whole = Int(exactly: value) { return .number(JSONNumber(whole)) }
        // What Swift writes for a finite number is JSON as well.
        return (try? JSON(parsing: Array(value.description.utf8))) ?? .null
      },
      calicoVariable: variable)
  }
}
