import CNI
import JSON

/// Reads the members of a network configuration by upstream's rules: keys without regard to case, `null` as absent, and
/// the first member of a wrong type as the error, whether it matters here or not.
struct CalicoDocumentReader {
  private(set) var configuration: CalicoConfiguration
  private var decoder = ConfigurationDecoder()
  private var datastoreType = ""
  private var unknownDatastore: String?
  /// A member with a NUL, where the system would end the text.
  private var cutOff: String?

  init(networkName: String) {
    configuration = CalicoConfiguration(networkName: networkName)
  }

  var problem: String? {
    decoder.firstTypeError
      ?? cutOff.map { "\($0) contains a NUL, which no path or name can" }
      ?? unknownDatastore.map { "datastore_type \"\($0)\" is none of sqlite, etcdv3 and kubernetes" }
  }

  /// Members that are read by other programs only, and must have the right type all the same.
  private static let otherTexts = [
    "type", "mode", "etcd_endpoints", "etcd_discovery_srv", "etcd_scheme", "etcd_authority", "etcd_key_file",
    "etcd_cert_file", "etcd_ca_cert_file", "calico_api_group", "vxlan_mac_prefix", "device_type",
    "endpoint_status_dir",
  ]
  private static let otherFlags = [
    "nodename_file_optional", "include_default_routes", "require_mtu_file", "windows_disable_default_deny_all_policy",
    "windows_loopback_DSR",
  ]
  private static let otherNumbers = [
    "mtu", "num_queues", "log_file_max_age", "log_file_max_count", "qps", "burst", "vxlan_vni",
    "windows_pod_deletion_timestamp_timeout",
  ]

  mutating func read(_ document: JSONObject) {
    for member in document.members {
      read(member)
    }
    if datastoreType.isEmpty { return }
    if let type = CalicoConfiguration.DatastoreType(rawValue: datastoreType) {
      configuration.datastoreType = type
      configuration.namesDatastore = true
    } else {
      unknownDatastore = datastoreType
    }
  }

  private mutating func read(_ member: JSONObject.Member) {
    let key = member.key
    if key.matchesFieldName("ipam") {
      for inner in decoder.members(of: member.value, as: "NetConf.ipam", type: "types.IPAMConfig") { readIPAM(inner) }
    } else if key.matchesFieldName("nodename") {
      text(member, "nodename", \.nodeName)
    } else if key.matchesFieldName("nodename_file") {
      text(member, "nodename_file", \.nodeNameFile)
    } else if key.matchesFieldName("hostname") {
      text(member, "hostname", \.hostname)
    } else if key.matchesFieldName("ipam_lock_file") {
      text(member, "ipam_lock_file", \.lockFile)
    } else if key.matchesFieldName("log_level") {
      text(member, "log_level", \.logLevel)
    } else if key.matchesFieldName("log_file_path") {
      text(member, "log_file_path", \.logFile)
    } else if key.matchesFieldName("log_file_max_size") {
      var size: Int64 = 0
      decoder.decode(member.value, as: "NetConf.log_file_max_size", into: &size)
      if size > 0 { configuration.logFileMegabytes = min(size, 1_000_000) }
    } else if key.matchesFieldName("datastore_type") {
      decoder.decode(member.value, as: "NetConf.datastore_type", into: &datastoreType)
    } else if key.matchesFieldName("database_file") {
      text(member, "database_file", \.databaseFile)
    } else if key.matchesFieldName("windows_use_single_network") {
      decoder.decode(
        member.value, as: "NetConf.windows_use_single_network", into: &configuration.usesSingleNetwork)
    } else if key.matchesFieldName("kubernetes") {
      readClient(member, "kubernetes", enabledBy: "kubeconfig") { !$0.isEmpty }
    } else if key.matchesFieldName("policy") {
      readClient(member, "policy", enabledBy: "type") { $0 == "k8s" }
    } else {
      readOther(member)
    }
  }

  /// An empty text leaves the default, as an absent member does.
  private mutating func text(
    _ member: JSONObject.Member, _ name: String, _ target: WritableKeyPath<CalicoConfiguration, String>
  ) {
    var value = ""
    decoder.decode(member.value, as: "NetConf." + name, into: &value)
    if value.utf8.contains(0) { cutOff = cutOff ?? name }
    if !value.isEmpty { configuration[keyPath: target] = value }
  }

  private mutating func readClient(
    _ member: JSONObject.Member, _ name: String, enabledBy key: String, _ isEnabled: (String) -> Bool
  ) {
    for inner in decoder.members(of: member.value, as: "NetConf." + name, type: "types." + name) {
      var value = ""
      decoder.decode(inner.value, as: "NetConf.\(name).\(inner.key)", into: &value)
      if inner.key.matchesFieldName(key), isEnabled(value) {
        configuration.looksUpNamespaces = true
        if name == "policy" { configuration.heedsAnnotations = true }
      }
    }
  }

  private mutating func readOther(_ member: JSONObject.Member) {
    let key = member.key
    if let name = Self.otherTexts.first(where: key.matchesFieldName) {
      var value = ""
      decoder.decode(member.value, as: "NetConf." + name, into: &value)
    } else if let name = Self.otherFlags.first(where: key.matchesFieldName) {
      var value = false
      decoder.decode(member.value, as: "NetConf." + name, into: &value)
    } else if let name = Self.otherNumbers.first(where: key.matchesFieldName) {
      var value: Int64 = 0
      decoder.decode(member.value, as: "NetConf." + name, into: &value)
    }
  }

  // MARK: - The member `ipam`

  private mutating func readIPAM(_ member: JSONObject.Member) {
    let key = member.key
    if key.matchesFieldName("assign_ipv4") {
      var value = ""
      decoder.decode(member.value, as: "NetConf.ipam.assign_ipv4", into: &value)
      configuration.assignsV4 = value != "false"
    } else if key.matchesFieldName("assign_ipv6") {
      var value = ""
      decoder.decode(member.value, as: "NetConf.ipam.assign_ipv6", into: &value)
      configuration.assignsV6 = value == "true"
    } else if key.matchesFieldName("ipv4_pools") {
      configuration.poolsV4 = texts(member, "ipv4_pools") ?? configuration.poolsV4
    } else if key.matchesFieldName("ipv6_pools") {
      configuration.poolsV6 = texts(member, "ipv6_pools") ?? configuration.poolsV6
    } else if key.matchesFieldName("type") || key.matchesFieldName("name") || key.matchesFieldName("subnet") {
      var value = ""
      decoder.decode(member.value, as: "NetConf.ipam." + key, into: &value)
    } else {
      readExtension(member)
    }
  }

  /// Keys of ours, and those of host-local that tell where its reservations are.
  private mutating func readExtension(_ member: JSONObject.Member) {
    switch member.key {
    case "gateway":
      if case .string(let text) = member.value {
        configuration.gateways = [text]
      } else {
        configuration.gateways = texts(member, "gateway")
      }
    case "routes": configuration.routes = objects(member, "routes")
    case "adoptHostLocal":
      decoder.decode(member.value, as: "NetConf.ipam.adoptHostLocal", into: &configuration.adoptsHostLocal)
    case "releaseAfterReboot":
      decoder.decode(member.value, as: "NetConf.ipam.releaseAfterReboot", into: &configuration.releasesAfterReboot)
    case "gc": decoder.decode(member.value, as: "NetConf.ipam.gc", into: &configuration.collects)
    case "dataDir":
      var directory = ""
      decoder.decode(member.value, as: "NetConf.ipam.dataDir", into: &directory)
      if directory.utf8.contains(0) { cutOff = cutOff ?? "ipam.dataDir" }
      if !directory.isEmpty { configuration.hostLocalDirectory = directory }
    default: break
    }
  }

  /// The elements of a list of objects; nil when there is none.
  private mutating func objects(_ member: JSONObject.Member, _ name: String) -> [JSONObject]? {
    switch member.value {
    case .null: return nil
    case .array(let elements):
      var objects: [JSONObject] = []
      for element in elements {
        guard case .object(let object) = element else {
          decoder.reject(element, field: "NetConf.ipam." + name, type: "object")
          continue
        }
        objects.append(object)
      }
      return objects
    default:
      decoder.reject(member.value, field: "NetConf.ipam." + name, type: "[]object")
      return nil
    }
  }

  /// The elements of a list of texts; nil when there is none.
  private mutating func texts(_ member: JSONObject.Member, _ name: String) -> [String]? {
    switch member.value {
    case .null: return nil
    case .array(let elements):
      var texts: [String] = []
      for element in elements {
        var text = ""
        decoder.decode(element, as: "NetConf.ipam." + name, into: &text)
        texts.append(text)
      }
      return texts
    default:
      decoder.reject(member.value, field: "NetConf.ipam." + name, type: "[]string")
      return nil
    }
  }
}
