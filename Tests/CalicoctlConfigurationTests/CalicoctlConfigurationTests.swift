import CalicoctlConfiguration
import DatastoreSettings
import Foundation
import Testing

@Suite("calicoctl's configuration file")
final class CalicoctlConfigurationTests {
  private let directory: String
  private var path: String { directory + "/calicoctl.cfg" }

  init() throws {
    directory = NSTemporaryDirectory() + "calicoctl-configuration-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  private func settings(
    _ text: String? = nil, named: Bool = true, _ environment: [String: String] = [:]
  ) throws -> (settings: DatastoreSettings, source: CalicoctlConfiguration.Source) {
    if let text { try text.write(toFile: path, atomically: false, encoding: .utf8) }
    return try CalicoctlConfiguration.settings(
      path: named ? path : nil, standardPath: path, environment: environment, otherwise: .sqlite)
  }

  private func specification(_ text: String) throws -> DatastoreSettings {
    let lines = text.split(separator: "\n").map { "  " + $0 + "\n" }.joined()
    let head = "apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata: {}\nspec:\n"
    return try settings(head + lines).settings
  }

  private func failure(_ text: String) -> CalicoctlConfigurationError? {
    #expect(throws: CalicoctlConfigurationError.self) { try settings(text) }
  }

  // MARK: Which source counts

  @Test("a file that exists is the only source, the standard one as well")
  func precedence() throws {
    let text = """
      {"apiVersion": "projectcalico.org/v3", "kind": "CalicoAPIConfig",
       "spec": {"datastoreType": "etcdv3", "etcdEndpoints": "https://a:2379, https://b:2379"}}
      """
    let environment = ["DATASTORE_TYPE": "kubernetes", "ETCD_ENDPOINTS": "http://c:2379", "ETCD_USERNAME": "root"]
    for named in [true, false] {
      let found = try settings(text, named: named, environment)
      #expect(found.settings.engine == .etcd)
      #expect(found.settings.etcd.endpoints == ["https://a:2379", "https://b:2379"])
      #expect(found.settings.etcd.username.isEmpty)
      #expect(found.source == .file(path))
    }
  }

  @Test("without the standard file the environment counts, and without either the engine that the program means")
  func environment() throws {
    let found = try settings(named: false, ["ETCD_ENDPOINTS": "http://c:2379"])
    #expect(found.settings.engine == .etcd)
    #expect(found.source == .environment)
    #expect(try settings(named: false).settings == DatastoreSettings(.sqlite))
    // kubectl's variable names no datastore.
    #expect(try settings(named: false, ["KUBECONFIG": "/k"]).settings.engine == .sqlite)
  }

  @Test("a file that was named and is not there is an error in calicoctl's words")
  func missing() {
    let error = #expect(throws: CalicoctlConfigurationError.self) { try settings() }
    #expect(error?.code == .missing)
    #expect(error?.description == "Error reading config file: \(path)")
  }

  @Test("what the environment says wrongly is an error as well")
  func malformedEnvironment() {
    let error = #expect(throws: CalicoctlConfigurationError.self) {
      try settings(named: false, ["K8S_CLIENT_QPS": ""])
    }
    #expect(error?.description.hasPrefix("failed to load config from env vars: K8S_CLIENT_QPS") == true)
  }

  @Test("a directory in the file's place is told, with its path")
  func directoryInPlace() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let error = #expect(throws: CalicoctlConfigurationError.self) { try settings() }
    #expect(error?.code == .unreadable)
    #expect(error?.description == "cannot read \(path): Is a directory")
  }

  // MARK: What it says

  @Test("every key goes to its setting")
  func keys() throws {
    let found = try specification(
      """
      datastoreType: kubernetes
      databaseFile: /d
      etcdEndpoints: http://e:1
      etcdDiscoverySrv: example.org
      etcdUsername: u
      etcdPassword: p
      etcdKeyFile: /ek
      etcdCertFile: /ec
      etcdCACertFile: /ea
      kubeconfig: /a:/b
      kubeconfigInline: text
      k8sAPIEndpoint: https://k
      k8sKeyFile: /kk
      k8sCertFile: /kc
      k8sCAFile: /ka
      k8sAPIToken: t
      k8sInsecureSkipTLSVerify: true
      k8sDisableNodePoll: true
      usePodCIDR: true
      k8sClientQPS: 2.5
      k8sClientBurst: 7
      k8sCurrentContext: c
      calicoAPIGroup: projectcalico.org/v3
      """)
    var etcd = EtcdSettings()
    etcd.endpoints = ["http://e:1"]
    etcd.discoveryDomain = "example.org"
    (etcd.username, etcd.password) = ("u", "p")
    (etcd.key, etcd.certificate, etcd.authority) = (.file("/ek"), .file("/ec"), .file("/ea"))
    var kubernetes = KubernetesSettings()
    (kubernetes.kubeconfig, kubernetes.kubeconfigText, kubernetes.server) = ("/a:/b", "text", "https://k")
    (kubernetes.key, kubernetes.certificate, kubernetes.authority) = (.file("/kk"), .file("/kc"), .file("/ka"))
    (kubernetes.token, kubernetes.skipsVerification, kubernetes.usesPodCIDR) = ("t", true, true)
    (kubernetes.queriesPerSecond, kubernetes.burst) = (2.5, 7)
    (kubernetes.context, kubernetes.apiGroup) = ("c", "projectcalico.org/v3")
    #expect(found == DatastoreSettings(.kubernetes, databaseFile: "/d", etcd: etcd, kubernetes: kubernetes))
  }

  @Test("certificates may be written in the file itself")
  func inlineCertificates() throws {
    let found = try specification("etcdEndpoints: https://e\netcdKey: k\netcdCert: |\n  c\netcdCACert: a")
    #expect(found.etcd.key == .text("k"))
    #expect(found.etcd.certificate == .text("c\n"))
    #expect(found.etcd.authority == .text("a"))
  }

  @Test(
    "without a type endpoints mean etcd, and anything else Kubernetes",
    arguments: [("etcdEndpoints: http://e", DatastoreEngine.etcd), ("kubeconfig: /k", .kubernetes)])
  func type(_ text: String, _ engine: DatastoreEngine) throws {
    #expect(try specification(text).engine == engine)
  }

  @Test("the user's own kubeconfig is found when nothing says where the server is")
  func usersKubeconfig() throws {
    try FileManager.default.createDirectory(atPath: directory + "/.kube", withIntermediateDirectories: true)
    try "".write(toFile: directory + "/.kube/config", atomically: false, encoding: .utf8)
    let head = "apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n"
    let home = ["HOME": directory]
    let bare = try settings(head + "  datastoreType: kubernetes\n", home).settings
    #expect(bare.kubernetes.kubeconfig == directory + "/.kube/config")
    let told = try settings(head + "  k8sAPIEndpoint: https://k\n", home).settings
    #expect(told.kubernetes.kubeconfig.isEmpty)
  }

  // MARK: What is refused

  @Test("what is not understood is refused, with the file and what is wrong")
  func refusals() throws {
    let head = "apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  "
    let cases = [
      ("apiVersion: v1\nkind: CalicoAPIConfig\n", "invalid config file: unknown APIVersion 'v1'"),
      (
        "apiVersion: projectcalico.org/v3\nkind: IPPool\n",
        "invalid config file: expected kind 'CalicoAPIConfig', got 'IPPool'"
      ),
      (head + "datastoreTyp: x", "syntax error in \(path): unknown field \"spec.datastoreTyp\""),
      ("spec: {}\nextra: 1\n", "syntax error in \(path): unknown field \"extra\""),
      (head + "datastoreType: mysql", "unknown datastore type: mysql"),
      (head + "etcdUsername: 7", "syntax error in \(path): etcdUsername is a number, not a text; put it in quotes"),
      (head + "usePodCIDR: maybe", "syntax error in \(path): usePodCIDR is a string, not true or false"),
      (head + "k8sClientQPS: -1", "syntax error in \(path): k8sClientQPS is -1, not a number of 0 or more"),
      (
        head + "etcdKey: k\n  etcdCertFile: /c",
        "Cannot mix inline certificate-key and certificate / key files"
      ),
      ("", "syntax error in \(path): nothing where there should be an object"),
      ("- 1", "syntax error in \(path): a array where there should be an object"),
    ]
    for (text, message) in cases { #expect(failure(text)?.description == message, "\(text)") }
    #expect(failure("a: [")?.description.hasPrefix("syntax error in \(path): error converting YAML to JSON") == true)
    #expect(failure(#"{"apiVersion":"a","apiVersion":"b"}"#)?.description.contains("apiVersion") == true)
  }
}
