import Datastore
import DatastoreSettings
import Foundation
import Testing

@testable import ipam_node

@Suite("Settings of the datastore")
struct DatastoreSettingTests {
  private func sources(
    _ file: String? = nil, _ environment: [String: String] = [:], _ flags: [String: String] = [:]
  ) throws -> ConfigurationSources {
    var sources = ConfigurationSources(environment: environment, flags: flags)
    if let file { sources.file = try ConfigurationFile(path: "/etc/node.yaml", text: Array(file.utf8)) }
    sources.nodeNames = NodeNameSources(file: "/nonexistent", hostName: { "host" })
    return sources
  }

  private func text(_ configuration: EffectiveConfiguration, _ words: String) throws -> String {
    let setting = try #require(Setting.all.first { $0.name.words == words })
    return "\(setting.text(configuration.values)) from \(configuration.origin(of: setting.name))"
  }

  @Test(
    "have the keys of calicoctl's file, and know the variables of Calico's programs",
    arguments: [
      ("datastore-type", "datastoreType", "DATASTORE_TYPE"), ("etcd-endpoints", "etcdEndpoints", "ETCD_ENDPOINTS"),
      ("etcd-discovery-srv", "etcdDiscoverySrv", "ETCD_DISCOVERY_SRV"),
      ("etcd-ca-cert-file", "etcdCACertFile", "ETCD_CA_CERT_FILE"),
      ("k8s-api-endpoint", "k8sAPIEndpoint", "K8S_API_ENDPOINT"), ("k8s-ca-file", "k8sCAFile", "K8S_CA_FILE"),
      ("k8s-insecure-skip-tls-verify", "k8sInsecureSkipTLSVerify", "K8S_INSECURE_SKIP_TLS_VERIFY"),
      ("k8s-client-qps", "k8sClientQPS", "K8S_CLIENT_QPS"),
      ("k8s-client-burst", "k8sClientBurst", "K8S_CLIENT_BURST"),
      ("k8s-current-context", "k8sCurrentContext", "K8S_CURRENT_CONTEXT"), ("kubeconfig", "kubeconfig", "KUBECONFIG"),
      ("calico-api-group", "calicoAPIGroup", "CALICO_API_GROUP"),
    ])
  func names(_ words: String, _ key: String, _ variable: String) throws {
    let setting = try #require(Setting.all.first { $0.name.words == words })
    #expect(setting.name.key == key)
    #expect(setting.calicoVariable == variable)
    #expect(setting.section == .datastore)
  }

  @Test("nothing said means the embedded datastore, whatever kubectl is told")
  func nothing() throws {
    let configuration = try sources(nil, ["KUBECONFIG": "/k"]).effective()
    #expect(configuration.values.datastore.engine == .sqlite)
    #expect(try text(configuration, "datastore-type") == "sqlite from default")
  }

  @Test("Calico's variables count where nothing of the agent's own says otherwise; the prefixed ones first")
  func calico() throws {
    let environment = [
      "DATASTORE_TYPE": "kubernetes", "CALICO_DATASTORE_TYPE": "etcdv3", "ETCD_ENDPOINTS": "http://a, http://b",
      "ETCD_KEY_FILE": "/key", "CALICO_ETCD_USERNAME": "", "ETCD_USERNAME": "nobody",
    ]
    let configuration = try sources("etcdKeyFile: /mine\n", environment).effective()
    #expect(try text(configuration, "datastore-type") == "etcdv3 from CALICO_DATASTORE_TYPE")
    #expect(try text(configuration, "etcd-endpoints") == "http://a,http://b from ETCD_ENDPOINTS")
    #expect(try text(configuration, "etcd-key-file") == "/mine from /etc/node.yaml")
    #expect(try text(configuration, "etcd-username") == "- from default")
    #expect(configuration.values.datastore.etcd.key == .file("/mine"))
  }

  @Test("endpoints of etcd mean etcd, unless something else is said")
  func inferred() throws {
    let inferred = try sources("etcdEndpoints: [http://a]\n").effective()
    #expect(try text(inferred, "datastore-type") == "etcdv3 from /etc/node.yaml")
    let told = try sources("etcdEndpoints: [http://a]\ndatastoreType: sqlite\n").effective()
    #expect(told.values.datastore.engine == .sqlite)
  }

  @Test("the user's kubeconfig is found when nothing says where the API server is")
  func kubeconfig() throws {
    let home = NSTemporaryDirectory() + "agent-home-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: home + "/.kube", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: home) }
    try "".write(toFile: home + "/.kube/config", atomically: false, encoding: .utf8)
    let found = try sources("datastoreType: kubernetes\n", ["HOME": home]).effective()
    #expect(found.values.datastore.kubernetes.kubeconfig == home + "/.kube/config")
    let told = try sources("datastoreType: kubernetes\nk8sAPIEndpoint: https://k\n", ["HOME": home]).effective()
    #expect(told.values.datastore.kubernetes.kubeconfig.isEmpty)
  }

  @Test("numbers and truth values are read from any place")
  func values() throws {
    let configuration = try sources(
      "k8sClientQPS: 2.5\nk8sInsecureSkipTLSVerify: true\n", ["K8S_CLIENT_BURST": "7"]
    ).effective()
    #expect(configuration.values.datastore.kubernetes.queriesPerSecond == 2.5)
    #expect(configuration.values.datastore.kubernetes.burst == 7)
    #expect(configuration.values.datastore.kubernetes.skipsVerification)
    #expect(try text(configuration, "k8s-client-qps") == "2.5 from /etc/node.yaml")
  }

  @Test("what is wrong is told with its place")
  func problems() throws {
    let sources = try sources(
      "datastoreType: mysql\n", ["K8S_CLIENT_QPS": "many", "ETCD_KEY_FILE": "/k"], ["k8s-client-burst": "0"])
    let error = #expect(throws: ConfigurationError.self) { try sources.effective() }
    #expect(
      error?.problems == [
        "environment: K8S_CLIENT_QPS: 'many' is not a number, 0 or more",
        "/etc/node.yaml: datastoreType: \"mysql\" is not one of sqlite, etcdv3, kubernetes",
        "--k8s-client-burst: '0' is not a number from 1 to 2147483647",
      ])
    let bare = #expect(throws: ConfigurationError.self) { try self.sources("datastoreType: etcdv3\n").effective() }
    #expect(
      bare?.problems == [
        "/etc/node.yaml: datastoreType: etcdv3 needs etcdEndpoints (ETCD_ENDPOINTS) or etcdDiscoverySrv"
      ])
  }

  @Test("a password is shown to nobody")
  func secret() throws {
    let configuration = try sources("etcdPassword: hunter2\n").effective()
    #expect(configuration.values.datastore.etcd.password == "hunter2")
    #expect(!configuration.table.contains("hunter2"))
    #expect(try text(configuration, "etcd-password") == "(not shown) from /etc/node.yaml")
  }
}
