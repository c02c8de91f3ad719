public import JSON

/// What a network configuration of CNI says about datastores and about Kubernetes (front-end specification, sections 1.3,
/// 7.4 and 7.5). An empty text means that nothing was said.
///
/// Members of a wrong type are left out: it is for the reader of the whole document to refuse it.
public struct NetworkConnection: Hashable, Sendable {
  public var datastoreType = ""
  public var databaseFile = ""
  public var etcdEndpoints = ""
  public var etcdDiscoveryDomain = ""
  public var etcdKeyFile = ""
  public var etcdCertificateFile = ""
  public var etcdAuthorityFile = ""
  /// `kubernetes.kubeconfig`
  public var kubeconfig = ""
  /// `kubernetes.k8s_api_root`
  public var server = ""
  /// `kubernetes.node_name`: the node whose pod CIDRs are meant.
  public var nodeName = ""
  /// `policy.type`
  public var policyType = ""
  /// `policy.k8s_api_root`
  public var policyServer = ""
  /// `policy.k8s_auth_token`
  public var policyToken = ""
  public var policyKeyFile = ""
  public var policyCertificateFile = ""
  public var policyAuthorityFile = ""
  public var apiGroup = ""
  /// 0 when nothing was said.
  public var queriesPerSecond: Int64 = 0
  /// 0 when nothing was said.
  public var burst: Int64 = 0

  public init() {}

  /// Reads a network configuration: keys without regard to case, of several members of a name the last.
  ///
  /// - Parameter document: the document on a plugin's stdin.
  public init(_ document: JSONObject) {
    read(document, Self.texts)
    for member in document.members {
      if member.key.matchesFieldName("kubernetes"), case .object(let object) = member.value {
        read(object, Self.kubernetesTexts)
      } else if member.key.matchesFieldName("policy"), case .object(let object) = member.value {
        read(object, Self.policyTexts)
      } else if member.key.matchesFieldName("qps"), case .number(let number) = member.value {
        queriesPerSecond = number.int64 ?? queriesPerSecond
      } else if member.key.matchesFieldName("burst"), case .number(let number) = member.value {
        burst = number.int64 ?? burst
      }
    }
  }

  private mutating func read(_ object: JSONObject, _ texts: [(String, WritableKeyPath<Self, String>)]) {
    for member in object.members {
      guard case .string(let text) = member.value,
        let target = texts.first(where: { member.key.matchesFieldName($0.0) })?.1
      else { continue }
      self[keyPath: target] = text
    }
  }

  private static var texts: [(String, WritableKeyPath<Self, String>)] {
    [
      ("datastore_type", \.datastoreType), ("database_file", \.databaseFile), ("etcd_endpoints", \.etcdEndpoints),
      ("etcd_discovery_srv", \.etcdDiscoveryDomain), ("etcd_key_file", \.etcdKeyFile),
      ("etcd_cert_file", \.etcdCertificateFile), ("etcd_ca_cert_file", \.etcdAuthorityFile),
      ("calico_api_group", \.apiGroup),
    ]
  }

  private static var kubernetesTexts: [(String, WritableKeyPath<Self, String>)] {
    [("kubeconfig", \.kubeconfig), ("k8s_api_root", \.server), ("node_name", \.nodeName)]
  }

  private static var policyTexts: [(String, WritableKeyPath<Self, String>)] {
    [
      ("type", \.policyType), ("k8s_api_root", \.policyServer), ("k8s_auth_token", \.policyToken),
      ("k8s_client_key", \.policyKeyFile), ("k8s_client_certificate", \.policyCertificateFile),
      ("k8s_certificate_authority", \.policyAuthorityFile),
    ]
  }
}
