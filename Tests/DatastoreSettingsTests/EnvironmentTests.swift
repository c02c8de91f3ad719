import DatastoreSettings
import Testing

@Suite("Settings from the environment")
struct EnvironmentTests {
  private func settings(
    _ environment: [String: String], otherwise engine: DatastoreEngine = .kubernetes, files: Set<String> = []
  ) throws -> DatastoreSettings {
    try DatastoreSettings(environment: environment, otherwise: engine) { files.contains($0) }
  }

  @Test(
    "The engine is the one that is named, or etcd with endpoints, or the one that is meant without a word",
    arguments: [
      ([:], DatastoreEngine.kubernetes),
      (["ETCD_ENDPOINTS": "http://a:2379"], .etcd),
      (["ETCD_ENDPOINTS": ""], .kubernetes),
      (["DATASTORE_TYPE": "etcdv3"], .etcd),
      (["DATASTORE_TYPE": "kubernetes", "ETCD_ENDPOINTS": "http://a:2379"], .kubernetes),
      (["DATASTORE_TYPE": "sqlite"], .sqlite),
      (["DATASTORE_TYPE": "kubernetes", "CALICO_DATASTORE_TYPE": "etcdv3"], .etcd),
      (["DATASTORE_TYPE": "etcdv3", "CALICO_DATASTORE_TYPE": ""], .kubernetes),
    ])
  func engine(environment: [String: String], expected: DatastoreEngine) throws {
    #expect(try settings(environment).engine == expected)
  }

  @Test("Who means the embedded datastore gets it without a word, and etcd with endpoints")
  func fallback() throws {
    #expect(try settings([:], otherwise: .sqlite).engine == .sqlite)
    #expect(try settings(["ETCD_ENDPOINTS": "http://a:2379"], otherwise: .sqlite).engine == .etcd)
    #expect(try settings(["DATABASE_FILE": "/x.db"], otherwise: .sqlite).databaseFile == "/x.db")
  }

  @Test("An engine that nobody has is refused by name")
  func unknownEngine() {
    #expect {
      try settings(["DATASTORE_TYPE": "consul"])
    } throws: { error in
      (error as? DatastoreSettingsError)?.description == "unknown datastore type: consul"
    }
  }

  @Test("Every variable of etcd is read, and endpoints are separated by commas")
  func etcd() throws {
    let found = try settings([
      "ETCD_ENDPOINTS": "https://a:2379, https://b:2379,", "ETCD_DISCOVERY_SRV": "example.org",
      "ETCD_USERNAME": "u", "ETCD_PASSWORD": "p", "ETCD_KEY_FILE": "/k", "ETCD_CERT_FILE": "/c",
      "ETCD_CA_CERT_FILE": "/ca",
    ])
    var expected = EtcdSettings()
    expected.endpoints = ["https://a:2379", "https://b:2379"]
    expected.discoveryDomain = "example.org"
    expected.username = "u"
    expected.password = "p"
    expected.key = .file("/k")
    expected.certificate = .file("/c")
    expected.authority = .file("/ca")
    #expect(found.etcd == expected)
  }

  @Test("Every variable of Kubernetes is read")
  func kubernetes() throws {
    let found = try settings([
      "KUBECONFIG": "/a:/b", "K8S_API_ENDPOINT": "https://s:6443", "K8S_KEY_FILE": "/k", "K8S_CERT_FILE": "/c",
      "K8S_CA_FILE": "/ca", "CALICO_K8SAPITOKEN": "t", "K8S_INSECURE_SKIP_TLS_VERIFY": "T",
      "K8S_DISABLE_NODE_POLL": "0", "USE_POD_CIDR": "true", "K8S_CLIENT_QPS": "2.5", "K8S_CLIENT_BURST": "7",
      "K8S_CURRENT_CONTEXT": "other", "CALICO_API_GROUP": "projectcalico.org/v3",
    ])
    var expected = KubernetesSettings()
    expected.kubeconfig = "/a:/b"
    expected.server = "https://s:6443"
    expected.key = .file("/k")
    expected.certificate = .file("/c")
    expected.authority = .file("/ca")
    expected.token = "t"
    expected.skipsVerification = true
    expected.usesPodCIDR = true
    expected.queriesPerSecond = 2.5
    expected.burst = 7
    expected.context = "other"
    expected.apiGroup = "projectcalico.org/v3"
    #expect(found.kubernetes == expected)
  }

  @Test("Without a word there is no limit, and the token has no other variable than its generic one")
  func defaults() throws {
    let found = try settings(["K8S_API_TOKEN": "t", "K8SAPITOKEN": "t"])
    #expect(found.kubernetes == KubernetesSettings())
    #expect(found.kubernetes.queriesPerSecond == 0)
    #expect(found.kubernetes.burst == 100)
  }

  @Test("A variable with the prefix counts whenever it exists, even when it is empty")
  func prefix() throws {
    let found = try settings([
      "KUBECONFIG": "/a", "CALICO_KUBECONFIG": "/b", "ETCD_USERNAME": "u", "CALICO_ETCD_USERNAME": "",
      "ETCD_KEY_FILE": "/k", "CALICO_ETCD_KEY_FILE": "",
    ])
    #expect(found.kubernetes.kubeconfig == "/b")
    #expect(found.etcd.username == "")
    #expect(found.etcd.key == nil)
  }

  @Test(
    "A truth value or a number that cannot be read is an error, an empty one too",
    arguments: [
      ("K8S_INSECURE_SKIP_TLS_VERIFY", "", "true or false"), ("K8S_INSECURE_SKIP_TLS_VERIFY", "yes", "true or false"),
      ("K8S_DISABLE_NODE_POLL", "", "true or false"), ("CALICO_USE_POD_CIDR", "2", "true or false"),
      ("K8S_CLIENT_QPS", "", "a number, 0 or more"), ("K8S_CLIENT_QPS", "nan", "a number, 0 or more"),
      ("K8S_CLIENT_QPS", "-1", "a number, 0 or more"), ("K8S_CLIENT_BURST", "", "a whole number, 0 or more"),
      ("CALICO_K8S_CLIENT_BURST", "1.5", "a whole number, 0 or more"),
    ])
  func malformed(name: String, text: String, expected: String) {
    #expect {
      try settings([name: text])
    } throws: { error in
      let problem = error as? DatastoreSettingsError
      return problem?.description
        == "failed to load config from env vars: \(name) is \"\(text)\", which is not \(expected)"
        && problem?.advice == "set \(name) to \(expected), or unset it"
    }
  }

  @Test("The user's own kubeconfig is taken when nothing else says where the server is")
  func usersKubeconfig() throws {
    let path = "/home/me/.kube/config"
    let home = ["HOME": "/home/me"]
    #expect(try settings(home, files: [path]).kubernetes.kubeconfig == path)
    #expect(try settings(home).kubernetes.kubeconfig == "")
    #expect(try settings(["HOME": ""], files: ["/.kube/config"]).kubernetes.kubeconfig == "")
    let server = home.merging(["K8S_API_ENDPOINT": "https://s"]) { $1 }
    #expect(try settings(server, files: [path]).kubernetes.kubeconfig == "")
    let etcd = home.merging(["DATASTORE_TYPE": "etcdv3"]) { $1 }
    #expect(try settings(etcd, files: [path]).kubernetes.kubeconfig == "")
  }
}
