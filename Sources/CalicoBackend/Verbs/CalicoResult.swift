import CNI
import IPAM
import IPAddressing
import JSON

/// Makes the answer to the runtime: addresses with the length of their block, and a route for each, as the main plugin
/// `calico` wants them (front-end specification, section 1.11). With `ipam.gateway` and `ipam.routes` it is one that
/// `bridge` and `ptp` can use.
struct CalicoResult {
  private let configuration: CalicoConfiguration

  init(_ configuration: CalicoConfiguration) {
    self.configuration = configuration
  }

  func assignment(_ addresses: [CIDR]) throws(CalicoFailure) -> Assignment {
    let gateways = try (configuration.gateways ?? []).map { text throws(CalicoFailure) -> IPAddress in
      guard let gateway = IPAddress(text) else {
        throw CalicoFailure("invalid ipam.gateway \(QuotedText.quote(text.utf8)): it must be an address")
      }
      return gateway
    }
    let assigned = addresses.map { address in
      AssignedAddress(address: address, gateway: gateways.first { $0.family == address.address.family })
    }
    return Assignment(addresses: assigned, routes: try routes(addresses))
  }

  private func routes(_ addresses: [CIDR]) throws(CalicoFailure) -> [Route] {
    guard let configured = configuration.routes else { return addresses.map { Route(destination: $0) } }
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
