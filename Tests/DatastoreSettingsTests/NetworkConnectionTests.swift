import DatastoreSettings
import JSON
import Testing

@Suite("Settings from a network configuration")
struct NetworkConnectionTests {
  private func connection(_ text: String) throws -> NetworkConnection {
    guard case .object(let object) = try JSON(parsing: Array(text.utf8)) else { return NetworkConnection() }
    return NetworkConnection(object)
  }

  private func datastore(_ text: String, over environment: [String: String] = [:]) throws -> DatastoreSettings {
    try connection(text).datastoreSettings(environment: environment) { _ in false }
  }

  @Test(
    "Every key that says something is written over its variable",
    arguments: [
      ("\"datastore_type\": \"etcdv3\"", "DATASTORE_TYPE", "etcdv3"),
      ("\"database_file\": \"/x.db\"", "DATABASE_FILE", "/x.db"),
      ("\"etcd_endpoints\": \"http://a\"", "ETCD_ENDPOINTS", "http://a"),
      ("\"etcd_discovery_srv\": \"d\"", "ETCD_DISCOVERY_SRV", "d"),
      ("\"etcd_key_file\": \"/k\"", "ETCD_KEY_FILE", "/k"),
      ("\"etcd_cert_file\": \"/c\"", "ETCD_CERT_FILE", "/c"),
      ("\"etcd_ca_cert_file\": \"/ca\"", "ETCD_CA_CERT_FILE", "/ca"),
      ("\"kubernetes\": {\"kubeconfig\": \"/kc\"}", "KUBECONFIG", "/kc"),
      ("\"kubernetes\": {\"k8s_api_root\": \"https://s\"}", "K8S_API_ENDPOINT", "https://s"),
      ("\"calico_api_group\": \"projectcalico.org/v3\"", "CALICO_API_GROUP", "projectcalico.org/v3"),
      ("\"qps\": 5", "K8S_CLIENT_QPS", "5"),
      ("\"burst\": 9", "K8S_CLIENT_BURST", "9"),
    ])
  func overwriting(member: String, variable: String, expected: String) throws {
    let environment = try connection("{\(member)}").environment(over: [variable: "before", "OTHER": "stays"])
    #expect(environment == [variable: expected, "OTHER": "stays"])
  }

  @Test("Keys that say nothing leave the environment alone; keys of another case count, of several the last")
  func silence() throws {
    let silent = try connection(
      #"{"datastore_type": "", "qps": 0, "burst": null, "etcd_endpoints": null, "kubernetes": {"kubeconfig": ""}}"#)
    #expect(silent == NetworkConnection())
    #expect(silent.environment(over: ["KUBECONFIG": "/a"]) == ["KUBECONFIG": "/a"])
    let cased = try connection(#"{"Datastore_Type": "etcdv3", "KUBERNETES": {"KubeConfig": "/a", "kubeconfig": "/b"}}"#)
    #expect(cased.datastoreType == "etcdv3")
    #expect(cased.kubeconfig == "/b")
  }

  @Test("The configuration counts before the environment, and a variable with the prefix before both")
  func priority() throws {
    let text = #"{"datastore_type": "etcdv3", "etcd_endpoints": "http://configured"}"#
    let environment = ["DATASTORE_TYPE": "kubernetes", "ETCD_ENDPOINTS": "http://a", "ETCD_USERNAME": "u"]
    let plain = try datastore(text, over: environment)
    #expect(plain.engine == .etcd)
    #expect(plain.etcd.endpoints == ["http://configured"])
    #expect(plain.etcd.username == "u")
    let prefixed = try datastore(text, over: ["CALICO_ETCD_ENDPOINTS": "http://prefixed"])
    #expect(prefixed.etcd.endpoints == ["http://prefixed"])
  }

  @Test("The keys of the policy are the own client's and not the datastore's, where there is a kubeconfig")
  func policyIsNotTheDatastores() throws {
    let text = #"""
      {"datastore_type": "kubernetes", "kubernetes": {"kubeconfig": "/kc"}, "policy": {"type": "k8s",
       "k8s_auth_token": "t", "k8s_api_root": "https://p:6443/api/v1/", "k8s_client_key": "/k",
       "k8s_client_certificate": "/c", "k8s_certificate_authority": "/ca"}}
      """#
    var expected = KubernetesSettings()
    expected.kubeconfig = "/kc"
    #expect(try datastore(text).kubernetes == expected)
    expected.token = "t"
    expected.server = "https://p:6443"
    expected.key = .file("/k")
    expected.certificate = .file("/c")
    expected.authority = .file("/ca")
    #expect(try connection(text).clientSettings() == expected)
  }

  @Test("Where nothing else tells who we are, the datastore takes the keys of the policy too")
  func policyAsLastResort() throws {
    let text = #"""
      {"kubernetes": {"k8s_api_root": "https://s:6443/api/v1"}, "policy": {"k8s_auth_token": "t",
       "k8s_api_root": "https://p/api/", "k8s_certificate_authority": "/ca"}}
      """#
    let found = try datastore(text)
    #expect(found.engine == .kubernetes)
    #expect(found.kubernetes.token == "t")
    #expect(found.kubernetes.server == "https://s:6443/api/v1")
    #expect(found.kubernetes.authority == .file("/ca"))
    let own = try datastore(text, over: ["CALICO_K8SAPITOKEN": "mine", "CALICO_K8S_API_ENDPOINT": "https://e"])
    #expect(own.kubernetes.token == "mine")
    #expect(own.kubernetes.server == "https://e")
    #expect(own.kubernetes.authority == nil)
  }

  @Test("The own client is the datastore's when nothing is said of it, and shares its limits otherwise")
  func sharedClient() throws {
    var store = KubernetesSettings()
    store.kubeconfig = "/store"
    store.burst = 3
    store.apiGroup = "projectcalico.org/v3"
    #expect(try connection("{}").clientSettings(besides: store) == store)
    #expect(try connection("{}").clientSettings() == KubernetesSettings())
    let said = try connection(#"{"kubernetes": {"kubeconfig": "/store"}}"#)
    #expect(said.clientSettings(besides: store) == store)
  }

  @Test(
    "Namespaces are looked up with a kubeconfig or the policy of Kubernetes",
    arguments: [
      ("{}", false, false), (#"{"policy": {"type": "k8s"}}"#, true, false),
      (#"{"policy": {"type": "none"}}"#, false, false), (#"{"kubernetes": {"kubeconfig": "/k"}}"#, true, true),
      (#"{"kubernetes": {"k8s_api_root": "https://s"}}"#, false, true),
      (#"{"policy": {"k8s_auth_token": "t"}}"#, false, true), (#"{"kubernetes": {"node_name": "n"}}"#, false, false),
    ])
  func access(text: String, looksUp: Bool, hasAccess: Bool) throws {
    let found = try connection(text)
    #expect(found.looksUpNamespaces == looksUp)
    #expect(found.hasKubernetesAccess == hasAccess)
  }

  @Test("Members of a wrong type are left out")
  func wrongTypes() throws {
    let text = #"{"datastore_type": 1, "kubernetes": [], "policy": "k8s", "qps": "5", "burst": 1.5}"#
    #expect(try connection(text) == NetworkConnection())
  }
}
