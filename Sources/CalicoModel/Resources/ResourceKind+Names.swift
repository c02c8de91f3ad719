extension ResourceKind {
  /// The kinds that people write in documents (calicoctl specification, section 4.1).
  public static let written: [ResourceKind] = [.ipPool, .ipReservation, .ipamConfiguration, .node]

  /// The version of all resources.
  public static let apiVersion = "projectcalico.org/v3"

  /// What people call the kind on a command line, in lower case; empty for kinds that are not written by people.
  public var commandNames: [String] {
    switch self {
    case .ipPool: ["ippool", "ippools", "ipp", "ipps", "pool", "pools"]
    case .ipReservation: ["ipreservation", "ipreservations", "reservation", "reservations"]
    case .ipamConfiguration: ["ipamconfiguration", "ipamconfigurations", "ipamconfig", "ipamconfigs"]
    case .node: ["node", "nodes", "no", "nos"]
    case .clusterInformation, .tier, .blockAffinity: []
    }
  }

  /// The kind that an argument of a command names, in any case of letters.
  ///
  /// - Parameter argument: such as `ippool` or `Pools`.
  /// - Throws: ``ResourceError`` when it names none; block affinities, blocks and handles are none (section 4.1).
  public init(argument: String) throws(ResourceError) {
    let name = argument.lowercased()
    guard let kind = Self.written.first(where: { $0.commandNames.contains(name) }) else {
      let meant = NearestName.of(name, among: Self.written.flatMap(\.commandNames))
      throw ResourceError(
        .unknownKind, "resource type '\(argument)' is not supported", advice: meant.map { "did you mean '\($0)'?" })
    }
    self = kind
  }
}
