public import IPAddressing
import JSON

/// Which services get their addresses from Calico: the `assignIPs` of its load-balancer controller.
public enum LoadBalancerAssignment: String, Hashable, Sendable {
  case allServices = "AllServices"
  case requestedServicesOnly = "RequestedServicesOnly"
}

/// A service that has addresses for the world outside.
public struct ServiceUse: Hashable, Sendable {
  public var namespace: String
  public var name: String
  /// The addresses that it is told to have.
  public var addresses: [IPAddress]
  private var type: String
  private var loadBalancerClass: String?
  private var asksForAddresses: Bool

  private static let annotations = ["loadBalancerIPs", "ipv4pools", "ipv6pools"].map { "projectcalico.org/" + $0 }

  /// Reads a service.
  init(_ document: JSONObject) {
    let metadata = document["metadata"]?.objectValue
    let specification = document["spec"]?.objectValue
    let annotations = KubernetesObject.texts(metadata?["annotations"])
    name = metadata?["name"]?.stringValue ?? ""
    namespace = metadata?["namespace"]?.stringValue ?? ""
    type = specification?["type"]?.stringValue ?? ""
    loadBalancerClass = specification?["loadBalancerClass"]?.stringValue
    asksForAddresses =
      Self.annotations.contains { annotations[$0] != nil }
      || !(specification?["loadBalancerIP"]?.stringValue ?? "").isEmpty
    let ingress = document["status"]?.objectValue?["loadBalancer"]?.objectValue?["ingress"]?.arrayValue ?? []
    addresses = ingress.compactMap { $0.objectValue?["ip"]?.stringValue.flatMap { IPAddress($0) } }
  }

  /// Whether Calico gives it its addresses (front-end specification, section 5.9).
  public func isManaged(_ assignment: LoadBalancerAssignment) -> Bool {
    guard type == "LoadBalancer" else { return false }
    switch assignment {
    case .allServices: return loadBalancerClass == nil || loadBalancerClass == "calico"
    case .requestedServicesOnly:
      return loadBalancerClass == "calico" || loadBalancerClass == nil && asksForAddresses
    }
  }
}
