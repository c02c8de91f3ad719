public import CNI
import IPAM
public import JSON

/// What the plugin reads of a network configuration (front-end specification, section 1.3).
public struct CalicoConfiguration: Hashable, Sendable {
  /// The engines that a configuration can name.
  public enum DatastoreType: String, Hashable, Sendable {
    case sqlite
    case etcd = "etcdv3"
    case kubernetes
  }

  /// The network's name; the first part of handles.
  public var networkName: String
  public var nodeName = ""
  public var nodeNameFile = "/var/lib/calico/nodename"
  /// A deprecated source of the node's name.
  public var hostname = ""
  public var lockFile = "/var/run/calico/ipam.lock"
  public var logLevel = "info"
  /// A file that takes log lines besides stderr; empty for none.
  public var logFile = ""
  /// The size in MB above which that file is put aside as `<file>.1`.
  public var logFileMegabytes: Int64 = 100
  public var datastoreType = DatastoreType.sqlite
  /// Whether the configuration names an engine, so that the environment need not.
  public var namesDatastore = false
  /// Where the datastore is, in a form that tells one from another; empty when the file says it all.
  public var storeIdentity = ""
  /// The file of the embedded datastore.
  public var databaseFile = "/var/lib/swift-ipam/ipam.db"
  /// Names or networks of pools, in the order in which they are to be tried; empty for all that fit.
  public var poolsV4: [String] = []
  public var poolsV6: [String] = []
  /// Exactly `false` turns IPv4 off.
  public var assignsV4 = true
  /// Exactly `true` turns IPv6 on.
  public var assignsV6 = false
  /// Whether the host keeps to one block for each request.
  public var usesSingleNetwork = false
  /// Whether namespaces are looked up: a Kubernetes client is configured.
  public var looksUpNamespaces = false
  /// Whether the annotations of pods and namespaces are heeded: `policy.type` is `k8s`.
  public var heedsAnnotations = false
  /// The extension `ipam.gateway`: nil when absent.
  public var gateways: [String]?
  /// The extension `ipam.routes`: nil when absent.
  public var routes: [JSONObject]?
  /// The extension `ipam.adoptHostLocal`: whether reservations of host-local are taken over without being asked for.
  public var adoptsHostLocal = false
  /// Where host-local keeps its reservations, for the switch between the two.
  public var hostLocalDirectory = "/var/lib/cni/networks"
  /// The extension `ipam.releaseAfterReboot`: whether what an earlier boot left is released when addresses run out.
  public var releasesAfterReboot = false
  /// The extension `ipam.gc`: whether GC releases anything.
  public var collects = true

  /// Reads a configuration.
  ///
  /// - Parameter configuration: the document on the plugin's stdin.
  /// - Throws: ``CalicoFailure`` when a member has the wrong type, or the network's name has characters that no handle
  ///   may have.
  public init(_ configuration: NetworkConfiguration) throws(CalicoFailure) {
    var reader = CalicoDocumentReader(networkName: configuration.name)
    reader.read(configuration.document)
    if let problem = reader.problem { throw CalicoFailure("failed to load netconf: \(problem)") }
    self = reader.configuration
    // The protocol's own check has passed already; this is Calico's, which counts the same characters.
    guard Attachment.isValid(containerID: Array("x\(networkName)".utf8)) else {
      throw CalicoFailure(
        "invalid characters detected in the given network name. Only letters a-z, numbers 0-9, and symbols _.- are "
          + "supported")
    }
  }

  /// A name for the store, so that what is remembered of one is not taken for another's.
  var storeDigest: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in (datastoreType.rawValue + " " + (storeIdentity.isEmpty ? databaseFile : storeIdentity)).utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return String(hash, radix: 16)
  }

  init(networkName: String) {
    self.networkName = networkName
  }
}
