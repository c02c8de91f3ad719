public import IPAddressing

/// What an entry of the datastore is about.
public enum Key: Hashable, Sendable {
  /// An allocation block; the CIDR has no host bits.
  case block(CIDR)
  /// An owner's claim of a block.
  case affinity(BlockOwner, CIDR)
  /// The index from a handle to blocks; the identifier keeps its case.
  case handle(String)
  /// The switches of address management.
  case configuration
  /// The directory marker of a host, which only old releases wrote.
  case host(String)
  /// A resource that people write, by kind and name.
  case resource(ResourceKind, String)
}

/// The kinds of resources that address management reads, and the tool for people writes.
public enum ResourceKind: String, Hashable, Sendable, CaseIterable {
  case ipPool = "IPPool"
  case ipReservation = "IPReservation"
  case ipamConfiguration = "IPAMConfiguration"
  case node = "Node"
  case clusterInformation = "ClusterInformation"
  case tier = "Tier"
  case blockAffinity = "BlockAffinity"

  /// The plural in lower case, as it stands in paths.
  public var plural: String {
    switch self {
    case .ipPool: "ippools"
    case .ipReservation: "ipreservations"
    case .ipamConfiguration: "ipamconfigurations"
    case .node: "nodes"
    case .clusterInformation: "clusterinformations"
    case .tier: "tiers"
    case .blockAffinity: "blockaffinities"
    }
  }
}

extension Key: CustomStringConvertible {
  /// The entry's name in error texts (Calico IPAM specification, section 5.1).
  public var description: String {
    switch self {
    case .block(let cidr): "BlockKey(cidr=\(cidr))"
    case .affinity(let owner, let cidr):
      "BlockAffinityKey(cidr=\(cidr), host=\(owner.name), affinityType=\(owner.kind.rawValue))"
    case .handle(let identifier): "IPAMHandleKey(id=\(identifier))"
    case .configuration: "IPAMConfigKey()"
    case .host(let name): "IPAMHostKey(host=\(name))"
    case .resource(let kind, let name): "\(kind.rawValue)(\(name))"
    }
  }
}
