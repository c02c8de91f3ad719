import IPAM
import IPAddressing
import JSON

/// Writes an assignment as the result document of one CNI version.
///
/// Shapes and key orders are upstream's (host-local specification, section 1.7).
struct CNIResult {
  let assignment: Assignment
  let version: CNIVersion

  /// Why the version has no form for the assignment; nil when it has one. Upstream's words.
  var problem: CNIError? {
    guard ["0.1.0", "0.2.0"].contains(version.description), assignment.addresses.isEmpty else { return nil }
    return CNIError(.internalFailure, "cannot convert: no valid IP addresses")
  }

  func encoded() -> [UInt8] {
    switch version.description {
    case "0.1.0", "0.2.0": JSON.object(onePerFamily).encoded(.document)
    case "0.3.0", "0.3.1", "0.4.0": JSON.object(listed(statesFamily: true)).encoded(.document)
    default: JSON.object(listed(statesFamily: false)).encoded(.sortedDocument)
    }
  }

  /// 0.3.0 and later: a list of addresses, left out when there are none. From 1.0.0 on other empty parts are left out as
  /// well, and no family is stated.
  private func listed(statesFamily: Bool) -> JSONObject {
    var document: JSONObject = ["cniVersion": .string(version.description)]
    let addresses = assignment.addresses.map { assigned in
      var address = JSONObject()
      if statesFamily { address["version"] = assigned.address.address.family == .v4 ? "4" : "6" }
      address["address"] = .string(assigned.address.description)
      if let gateway = assigned.gateway { address["gateway"] = .string(gateway.description) }
      return JSON.object(address)
    }
    if !addresses.isEmpty { document["ips"] = .array(addresses) }
    if !assignment.routes.isEmpty {
      document["routes"] = .array(assignment.routes.map { .object(Self.complete($0)) })
    }
    if statesFamily || !assignment.dns.isEmpty { document["dns"] = .object(dns) }
    return document
  }

  /// 0.1.0 and 0.2.0: at most one address a family, each with the routes of its family; other routes have no place.
  private var onePerFamily: JSONObject {
    var document: JSONObject = ["cniVersion": .string(version.description)]
    for (family, key) in [(AddressFamily.v4, "ip4"), (.v6, "ip6")] {
      guard let assigned = assignment.addresses.last(where: { $0.address.address.family == family }) else { continue }
      var part: JSONObject = ["ip": .string(assigned.address.description)]
      if let gateway = assigned.gateway { part["gateway"] = .string(gateway.description) }
      let routes = assignment.routes.filter { $0.destination.address.family == family }
      if !routes.isEmpty { part["routes"] = .array(routes.map { .object(Self.minimal($0)) }) }
      document[key] = .object(part)
    }
    document["dns"] = .object(dns)
    return document
  }

  private static func minimal(_ route: Route) -> JSONObject {
    var object: JSONObject = ["dst": .string(route.destination.description)]
    if let gateway = route.gateway { object["gw"] = .string(gateway.description) }
    return object
  }

  private static func complete(_ route: Route) -> JSONObject {
    var object = minimal(route)
    if route.mtu != 0 { object["mtu"] = JSON(integer: route.mtu) }
    if route.advertisedMSS != 0 { object["advmss"] = JSON(integer: route.advertisedMSS) }
    if route.priority != 0 { object["priority"] = JSON(integer: route.priority) }
    if let table = route.table { object["table"] = JSON(integer: table) }
    if let scope = route.scope { object["scope"] = JSON(integer: scope) }
    return object
  }

  private var dns: JSONObject {
    func list(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
    let dns = assignment.dns
    var object = JSONObject()
    if !dns.nameservers.isEmpty { object["nameservers"] = list(dns.nameservers) }
    if !dns.domain.isEmpty { object["domain"] = .string(dns.domain) }
    if !dns.search.isEmpty { object["search"] = list(dns.search) }
    if !dns.options.isEmpty { object["options"] = list(dns.options) }
    return object
  }
}
