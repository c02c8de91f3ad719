import DatastoreSettings
import JSON
import YAML

/// Understands the text of a configuration file, strictly: a key that is unknown may be a slip in the writing of one that
/// matters.
struct CalicoctlConfigurationReader {
  typealias Failure = CalicoctlConfigurationError

  private static let apiVersion = "projectcalico.org/v3"
  private static let kind = "CalicoAPIConfig"

  let path: String

  func settings(in content: [UInt8]) throws(Failure) -> DatastoreSettings {
    let root = try document(content)
    try checkKeys(root, ["apiVersion", "kind", "metadata", "spec"])
    let version = try text(root, "apiVersion")
    guard version == Self.apiVersion else {
      throw Failure(.invalid, "invalid config file: unknown APIVersion '\(version)'", advice: advice)
    }
    let kind = try text(root, "kind")
    guard kind == Self.kind else {
      throw Failure(.invalid, "invalid config file: expected kind '\(Self.kind)', got '\(kind)'", advice: advice)
    }
    guard let specification = root["spec"], specification != .null else {
      return try settings(JSONObject())
    }
    guard case .object(let object) = specification else { throw mismatch("spec", specification, "an object") }
    return try settings(object)
  }

  private var advice: String { "\(path) is to be a file such as calicoctl has, or another one named with --config" }

  // MARK: The document

  private func document(_ text: [UInt8]) throws(Failure) -> JSONObject {
    let first = text.first { ![0x09, 0x0A, 0x0D, 0x20].contains($0) }
    var value: JSON?
    // What looks like JSON and is none may be YAML in its flow style.
    if first == UInt8(ascii: "{") { value = try? JSON(parsing: text) }
    if value == nil {
      do throws(YAMLDocument.Failure) {
        value = try YAMLDocument.json(String(decoding: text, as: UTF8.self))
      } catch {
        throw Failure(.invalid, "syntax error in \(path): \(error)")
      }
    }
    guard case .object(let object)? = value else {
      let found = value.map { "a \($0.kindName)" } ?? "nothing"
      throw Failure(.invalid, "syntax error in \(path): \(found) where there should be an object", advice: advice)
    }
    return object
  }

  private func checkKeys(_ object: JSONObject, _ known: [String], in place: String = "") throws(Failure) {
    var seen: Set<String> = []
    for member in object.members {
      guard known.contains(member.key) else {
        throw Failure(.invalid, "syntax error in \(path): unknown field \"\(place)\(member.key)\"")
      }
      guard seen.insert(member.key).inserted else {
        throw Failure(.invalid, "syntax error in \(path): \"\(place)\(member.key)\" is there twice")
      }
    }
  }

  private func mismatch(_ key: String, _ value: JSON, _ expectation: String) -> Failure {
    Failure(.invalid, "syntax error in \(path): \(key) is a \(value.kindName), not \(expectation)")
  }

  // MARK: Values

  private func text(_ object: JSONObject, _ key: String) throws(Failure) -> String {
    switch object[key] {
    case nil, .null?: return ""
    case .string(let text)?: return text
    case let value?: throw mismatch(key, value, "a text; put it in quotes")
    }
  }

  private func flag(_ object: JSONObject, _ key: String) throws(Failure) -> Bool {
    switch object[key] {
    case nil, .null?: return false
    case .bool(let value)?: return value
    case let value?: throw mismatch(key, value, "true or false")
    }
  }

  private func number(_ object: JSONObject, _ key: String) throws(Failure) -> Double? {
    switch object[key] {
    case nil, .null?: return nil
    case .number(let number)?:
      guard let value = Double(number.literal), value.isFinite, value >= 0 else {
        throw Failure(.invalid, "syntax error in \(path): \(key) is \(number.literal), not a number of 0 or more")
      }
      return value
    case let value?: throw mismatch(key, value, "a number")
    }
  }

  /// A PEM text in a file, or here.
  private func certificate(
    _ object: JSONObject, file: String, inline: String? = nil
  ) throws(Failure) -> PEMSource? {
    if let inline, case let content = try text(object, inline), !content.isEmpty { return .text(content) }
    let name = try text(object, file)
    return name.isEmpty ? nil : .file(name)
  }

  /// Refuses a key or certificate in a file beside one that is written here: which of them is meant, nobody can tell.
  private func checkMixture(_ object: JSONObject, files: [String], inline: [String]) throws(Failure) {
    var found: [String] = []
    for keys in [files, inline] {
      for key in keys where try !text(object, key).isEmpty {
        found.append(key)
        break
      }
    }
    guard found.count > 1 else { return }
    throw Failure(
      .invalid, "Cannot mix inline certificate-key and certificate / key files",
      advice: "\(path) has both \(found[0]) and \(found[1]): remove one of them")
  }

  // MARK: Settings

  private static let keys = [
    "datastoreType", "databaseFile",
    "etcdEndpoints", "etcdDiscoverySrv", "etcdUsername", "etcdPassword", "etcdKeyFile", "etcdCertFile",
    "etcdCACertFile", "etcdKey", "etcdCert", "etcdCACert",
    "kubeconfig", "kubeconfigInline", "k8sAPIEndpoint", "k8sKeyFile", "k8sCertFile", "k8sCAFile", "k8sAPIToken",
    "k8sInsecureSkipTLSVerify", "k8sDisableNodePoll", "usePodCIDR", "k8sClientQPS", "k8sClientBurst",
    "k8sCurrentContext", "calicoAPIGroup",
  ]

  private func settings(_ object: JSONObject) throws(Failure) -> DatastoreSettings {
    try checkKeys(object, Self.keys, in: "spec.")
    var settings = DatastoreSettings()
    settings.etcd = try etcd(object)
    settings.kubernetes = try kubernetes(object)
    let file = try text(object, "databaseFile")
    if !file.isEmpty { settings.databaseFile = file }
    let type = try text(object, "datastoreType")
    if let engine = DatastoreEngine(rawValue: type) {
      settings.engine = engine
    } else if type.isEmpty {
      settings.engine = settings.etcd.endpoints.isEmpty ? .kubernetes : .etcd
    } else {
      throw Failure(
        .invalid, "unknown datastore type: \(type)",
        advice: "datastoreType in \(path) is one of etcdv3, kubernetes and sqlite")
    }
    return settings
  }

  private func etcd(_ object: JSONObject) throws(Failure) -> EtcdSettings {
    var etcd = EtcdSettings()
    etcd.endpoints = EtcdSettings.endpoints(in: try text(object, "etcdEndpoints"))
    etcd.discoveryDomain = try text(object, "etcdDiscoverySrv")
    etcd.username = try text(object, "etcdUsername")
    etcd.password = try text(object, "etcdPassword")
    try checkMixture(
      object, files: ["etcdKeyFile", "etcdCertFile", "etcdCACertFile"], inline: ["etcdKey", "etcdCert", "etcdCACert"])
    etcd.key = try certificate(object, file: "etcdKeyFile", inline: "etcdKey")
    etcd.certificate = try certificate(object, file: "etcdCertFile", inline: "etcdCert")
    etcd.authority = try certificate(object, file: "etcdCACertFile", inline: "etcdCACert")
    return etcd
  }

  private func kubernetes(_ object: JSONObject) throws(Failure) -> KubernetesSettings {
    var kubernetes = KubernetesSettings()
    kubernetes.kubeconfig = try text(object, "kubeconfig")
    kubernetes.kubeconfigText = try text(object, "kubeconfigInline")
    kubernetes.context = try text(object, "k8sCurrentContext")
    kubernetes.server = try text(object, "k8sAPIEndpoint")
    kubernetes.token = try text(object, "k8sAPIToken")
    kubernetes.key = try certificate(object, file: "k8sKeyFile")
    kubernetes.certificate = try certificate(object, file: "k8sCertFile")
    kubernetes.authority = try certificate(object, file: "k8sCAFile")
    kubernetes.skipsVerification = try flag(object, "k8sInsecureSkipTLSVerify")
    // Nothing here polls nodes.
    _ = try flag(object, "k8sDisableNodePoll")
    kubernetes.usesPodCIDR = try flag(object, "usePodCIDR")
    kubernetes.queriesPerSecond = try number(object, "k8sClientQPS") ?? 0
    if let burst = try number(object, "k8sClientBurst") {
      guard let count = Int(exactly: burst) else {
        throw Failure(.invalid, "syntax error in \(path): k8sClientBurst is \(burst), not a whole number")
      }
      kubernetes.burst = count
    }
    kubernetes.apiGroup = try text(object, "calicoAPIGroup")
    return kubernetes
  }
}
