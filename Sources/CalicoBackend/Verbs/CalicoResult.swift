import CNI
import IPAM
import IPAddressing
import JSON

/// Makes the answer to the runtime: addresses with the length of their block, and a route for each, as the main plugin
/// `calico` wants them (front-end specification, section 1.11). With `ipam.gateway` and `ipam.routes` it is one that
/// `bridge` and `ptp` can use.
struct CalicoResult {
  private let gateways: [IPAddress]
  /// Nil for a route to each address.
  private let routes: [Route]?

  /// Reads what the configuration says of the answer; before anything is assigned, because what cannot be answered must
  /// not be taken either.
  init(_ configuration: CalicoConfiguration) throws(CalicoFailure) {
    gateways = try (configuration.gateways ?? []).map { text throws(CalicoFailure) -> IPAddress in
      guard let gateway = IPAddress(text) else {
        throw CalicoFailure("invalid ipam.gateway \(QuotedText.quote(text.utf8)): it must be an address")
      }
      return gateway
    }
    routes = try configuration.routes.map(Self.routes)
  }

  func assignment(_ addresses: [CIDR]) -> Assignment {
    let assigned = addresses.map { address in
      AssignedAddress(address: address, gateway: gateways.first { $0.family == address.address.family })
    }
    return Assignment(addresses: assigned, routes: routes ?? addresses.map { Route(destination: $0) })
  }

  private static func routes(_ configured: [JSONObject]) throws(CalicoFailure) -> [Route] {
    var routes: [Route] = []
    for object in configured {
      guard let text = object["dst"]?.stringValue, let destination = CIDR(text) else {
        throw CalicoFailure("invalid ipam.routes: every route needs `dst`, a network such as 0.0.0.0/0")
      }
      var route = Route(destination: destination)
      if let text = object["gw"]?.stringValue {
        guard let gateway = IPAddress(text) else {
          throw CalicoFailure("invalid ipam.routes: `gw` \(QuotedText.quote(text.utf8)) is no address")
        }
        route.gateway = gateway
      }
      routes.append(route)
    }
    return routes
  }
}
