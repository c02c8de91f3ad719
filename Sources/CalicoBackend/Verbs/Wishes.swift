public import IPAddressing

/// What is wanted for a workload: the configuration, and what the annotations of its pod and namespace make of it
/// (front-end specification, sections 1.6 and 1.13).
public struct Wishes: Sendable {
  /// Who says what is wanted.
  public enum Source: Hashable, Sendable {
    /// The network's configuration, or its defaults.
    case configuration
    /// An annotation.
    case annotation(WorkloadAnnotations.Bearer)
    /// The call itself, by `CNI_ARGS` or a capability.
    case call
  }

  public private(set) var assignsV4: Bool
  public private(set) var assignsV6: Bool
  /// Who says which families.
  public private(set) var familiesSource = Source.configuration
  /// Names or networks of the pools that are to be used; empty for all that fit.
  public private(set) var poolsV4: [String]
  public private(set) var poolsV6: [String]
  public private(set) var poolsV4Source = Source.configuration
  public private(set) var poolsV6Source = Source.configuration
  /// The very addresses that are wanted, with which pools and families do not count; empty when they are to be chosen.
  public private(set) var addresses: [IPAddress] = []
  public private(set) var addressesSource = Source.configuration
  /// The labels of the workload's namespace; none when it is not looked up.
  public internal(set) var namespaceLabels: [String: String] = [:]

  init(_ configuration: CalicoConfiguration) {
    assignsV4 = configuration.assignsV4
    assignsV6 = configuration.assignsV6
    poolsV4 = configuration.poolsV4
    poolsV6 = configuration.poolsV6
  }

  /// Takes in what the annotations say.
  mutating func apply(_ annotations: WorkloadAnnotations) {
    if let pools = annotations.poolsV4 { (poolsV4, poolsV4Source) = (pools, source(annotations.poolsV4Bearer)) }
    if let pools = annotations.poolsV6 { (poolsV6, poolsV6Source) = (pools, source(annotations.poolsV6Bearer)) }
    if let families = annotations.families {
      assignsV4 = families.contains(.v4)
      assignsV6 = families.contains(.v6)
      familiesSource = source(annotations.familiesBearer)
    }
    addresses = annotations.addresses
    addressesSource = .annotation(.pod)
  }

  /// Takes in that the call names addresses.
  mutating func apply(requested: [IPAddress]) {
    addresses = requested
    addressesSource = .call
  }

  private func source(_ bearer: WorkloadAnnotations.Bearer?) -> Source {
    bearer.map { .annotation($0) } ?? .configuration
  }
}
