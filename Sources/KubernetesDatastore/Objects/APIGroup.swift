import CalicoModel

/// The group in which a cluster keeps Calico's resources (Calico IPAM specification, section 1.3.1).
public enum APIGroup: String, Hashable, Sendable {
  /// What all releases up to now use.
  case v1 = "crd.projectcalico.org/v1"
  /// Where the resources that people write are custom resources themselves.
  case v3 = "projectcalico.org/v3"

  /// The group that a setting names: the second if it is named in any case of letters, and the first for any other
  /// text.
  public init(setting: String) {
    self = setting.lowercased() == Self.v3.rawValue ? .v3 : .v1
  }

  /// The group's name without its version.
  var name: String {
    switch self {
    case .v1: "crd.projectcalico.org"
    case .v3: "projectcalico.org"
    }
  }
}

/// The kinds of objects that entries are kept in.
enum ObjectKind: Hashable, Sendable {
  case block
  case affinity
  case handle
  case configuration
  /// A resource other than block affinities and configurations, which are one with what address management reads.
  case resource(ResourceKind)

  /// The kind of an entry's object; nil for an entry that has none.
  init?(_ key: Key) {
    switch key {
    case .block: self = .block
    case .affinity, .resource(.blockAffinity, _): self = .affinity
    case .handle: self = .handle
    case .configuration, .resource(.ipamConfiguration, _): self = .configuration
    case .host: return nil
    case .resource(let kind, _): self = .resource(kind)
    }
  }

  /// Whether the object belongs to Kubernetes itself.
  var isCore: Bool { self == .resource(.node) }

  /// Whether a deletion takes two writes (section 1.3.3).
  var isDeletedSoftly: Bool { self == .block || self == .affinity || self == .handle }

  /// The kind's name (section 1.3.2).
  func name(in group: APIGroup) -> String {
    switch self {
    case .block: "IPAMBlock"
    case .affinity: "BlockAffinity"
    case .handle: "IPAMHandle"
    case .configuration: group == .v1 ? "IPAMConfig" : "IPAMConfiguration"
    case .resource(let kind): kind.rawValue
    }
  }

  /// The plural in paths.
  func plural(in group: APIGroup) -> String {
    switch self {
    case .block: "ipamblocks"
    case .affinity: "blockaffinities"
    case .handle: "ipamhandles"
    case .configuration: group == .v1 ? "ipamconfigs" : "ipamconfigurations"
    case .resource(let kind): kind.plural
    }
  }

  /// The path of the collection.
  func path(in group: APIGroup) -> String {
    isCore ? "/api/v1/nodes" : "/apis/\(group.rawValue)/\(plural(in: group))"
  }

  /// The group and version of an object.
  func apiVersion(in group: APIGroup) -> String { isCore ? "v1" : group.rawValue }

  /// What kubectl calls the collection.
  func kubectlName(in group: APIGroup) -> String {
    isCore ? "nodes" : "\(plural(in: group)).\(group.name)"
  }
}
