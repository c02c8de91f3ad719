public import CNI
import FileSystem
public import IPAM
public import IPAddressing
import JSON

/// The configuration of one network for host-local, valid as a whole.
public struct HostLocalConfiguration: Sendable {
  /// The network's name.
  public var name: String
  /// The base directory; the reservations are in a directory named for the network below it.
  public var dataDirectory: String
  /// Where DNS settings are read from; nil for nowhere.
  public var resolverFile: String?
  /// Routes for the result, as configured.
  public var routes: [Route]
  /// One address is given from each set, in this order. The position is the set's index in messages and cursor names.
  public var rangeSets: [RangeSet]
  /// Distinct addresses asked for by `CNI_ARGS`, `args.cni.ips` and `runtimeConfig.ips`, in that order.
  public var requestedAddresses: [IPAddress]
  /// What this package adds to upstream's behaviour.
  public var options: HostLocalOptions

  /// Reads and validates everything, in upstream's order (host-local specification, section 2).
  ///
  /// - Throws: ``HostLocalError`` with ``HostLocalError/Code/configuration``.
  public init(_ configuration: NetworkConfiguration, arguments: CNIArguments) throws(HostLocalError) {
    let document = try NetworkDocument(configuration.document)
    guard let ipam = document.ipam else { throw Self.missingSection }
    var requested = try RequestedAddresses.read(arguments)
    for address in document.argumentAddresses + document.runtimeAddresses {
      guard let address else {
        throw HostLocalError(.configuration, "cannot understand ip: IP <nil> not v4 nor v6")
      }
      requested.append(address)
    }
    var sets = document.runtimeRanges
    if let range = ipam.range { sets.append([range]) }
    sets += ipam.rangeSets
    self.init(name: configuration.name, ipam)
    rangeSets = try RangeSet.validated(sets, version: document.version)
    for address in requested where !requestedAddresses.contains(address) { requestedAddresses.append(address) }
  }

  /// Reads what GC needs: where the reservations are. Ranges and requests are not looked at.
  ///
  /// - Throws: ``HostLocalError`` with ``HostLocalError/Code/configuration`` when a member has the wrong type.
  public init(forCollection configuration: NetworkConfiguration) throws(HostLocalError) {
    guard let ipam = try NetworkDocument(configuration.document).ipam else { throw Self.missingSection }
    self.init(name: configuration.name, ipam)
  }

  /// Reads and validates what a configuration can tell without a container: STATUS carries no `runtimeConfig`, so ranges
  /// that come by the `ipRanges` capability may be missing.
  ///
  /// - Throws: ``HostLocalError`` with ``HostLocalError/Code/configuration``.
  public init(forStatus configuration: NetworkConfiguration) throws(HostLocalError) {
    let document = try NetworkDocument(configuration.document)
    guard let ipam = document.ipam else { throw Self.missingSection }
    var sets = document.runtimeRanges
    if let range = ipam.range { sets.append([range]) }
    sets += ipam.rangeSets
    self.init(name: configuration.name, ipam)
    if sets.isEmpty, document.takesRangesByCapability { return }
    rangeSets = try RangeSet.validated(sets, version: document.version)
  }

  /// A configuration from its parts, which are valid by their types.
  public init(
    name: String,
    dataDirectory: String = Self.defaultDataDirectory,
    rangeSets: [RangeSet] = [],
    requestedAddresses: [IPAddress] = [],
    options: HostLocalOptions = HostLocalOptions()
  ) {
    self.name = name
    self.dataDirectory = dataDirectory
    self.rangeSets = rangeSets
    self.requestedAddresses = requestedAddresses
    self.options = options
    resolverFile = nil
    routes = []
  }

  private init(name: String, _ ipam: IPAMSection) {
    self.init(name: name, options: ipam.options)
    if !ipam.dataDirectory.isEmpty { dataDirectory = ipam.dataDirectory }
    if !ipam.resolverFile.isEmpty { resolverFile = ipam.resolverFile }
    routes = ipam.routes
  }

  /// Where upstream keeps its reservations unless told otherwise.
  public static let defaultDataDirectory = "/var/lib/cni/networks"

  private static let missingSection = HostLocalError(.configuration, "IPAM config missing 'ipam' key")

  /// The network's directory, cleaned lexically.
  public var networkDirectory: String { LexicalPath.joined(dataDirectory, name) }
}

/// The switches that upstream does not have; absent, the behaviour is upstream's.
public struct HostLocalOptions: Hashable, Sendable {
  /// `"gc"`: whether GC releases what is not valid any more.
  public var collects = true
  /// `"reclaimAfterReboot"`: whether reservations that are known to stem from an earlier boot are taken back.
  public var reclaimsAfterReboot = false
  /// `"idempotentAdd"`: whether a repeated ADD returns the addresses that the attachment holds.
  public var isAddIdempotent = false
  /// `"reportExhaustion"`: whether STATUS fails when a range set is full.
  public var reportsExhaustion = false

  public init() {}
}
