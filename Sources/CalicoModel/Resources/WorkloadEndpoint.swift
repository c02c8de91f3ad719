public import IPAddressing
import JSON

/// What Calico's own CNI plugin keeps of a container's interface in etcd: the addresses that are in use there. Kubernetes
/// keeps nothing like it, because its pods tell the same.
public struct WorkloadEndpoint: Hashable, Sendable {
  public var namespace: String
  public var name: String
  public var addresses: [IPAddress]

  /// What the paths of all of them begin with in etcd; the namespace and the name follow.
  public static let path = "/calico/resources/v3/projectcalico.org/workloadendpoints/"

  /// Reads what etcd keeps; nil when it is none: the place is of another form, or the text no object.
  ///
  /// - Parameters:
  ///   - document: the resource's text; what is no address in it is passed over.
  ///   - place: the path behind ``path``, `<namespace>/<name>`.
  public init?(decoding document: [UInt8], at place: String) {
    let parts = place.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
      let members = (try? JSON(parsing: document))?.objectValue
    else { return nil }
    namespace = String(parts[0])
    name = String(parts[1])
    let networks = members["spec"]?.objectValue?["ipNetworks"]?.arrayValue ?? []
    addresses = networks.compactMap { network in
      guard let text = network.stringValue else { return nil }
      return CIDR(text)?.address ?? IPAddress(text)
    }
  }
}
