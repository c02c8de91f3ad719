import IPAddressing
import Netlink
import Testing

@testable import Routing

/// What exists on n1 for a destination and its owner, row by row.
@Suite("Routes by owner and class (section 1.4)")
struct RouteTableTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var vxlan = RoutingPool.Encapsulation.never
    var ipip = RoutingPool.Encapsulation.never
    var destination: String
    /// As `ip route` would write it; nil for no route.
    var route: String?

    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "own block, unencapsulated", destination: "10.65.1.0/26", route: "blackhole"),
    Case(name: "own block, VXLAN", vxlan: .always, destination: "10.65.1.0/26", route: "blackhole"),
    Case(name: "own block, IPIP", ipip: .always, destination: "10.65.1.0/26", route: "blackhole"),
    Case(name: "own block, IPv6", vxlan: .always, destination: "fd65:1::/122", route: "blackhole"),
    Case(name: "own block of one address", destination: "10.65.9.9/32"),
    Case(name: "own block of one IPv6 address", destination: "fd65:9::9/128"),
    Case(name: "own borrowed address", vxlan: .always, destination: "10.65.2.9/32"),
    Case(name: "unknown node", destination: "10.65.8.0/26"),
    Case(name: "unknown node's address", vxlan: .always, destination: "10.65.8.5/32"),
    Case(name: "no node", vxlan: .always, destination: "10.65.7.0/26"),
    Case(
      name: "VXLAN always, same subnet", vxlan: .always, destination: "10.65.2.0/26",
      route: "via 10.65.2.0 dev vxlan onlink"),
    Case(
      name: "VXLAN always, other subnet", vxlan: .always, destination: "10.65.3.0/26",
      route: "via 10.65.3.0 dev vxlan onlink"),
    Case(
      name: "VXLAN across subnets, same", vxlan: .crossSubnet, destination: "10.65.2.0/26",
      route: "via 172.30.1.12 dev eth0 onlink"),
    Case(
      name: "VXLAN across subnets, other", vxlan: .crossSubnet, destination: "10.65.3.0/26",
      route: "via 10.65.3.0 dev vxlan onlink"),
    Case(
      name: "VXLAN, IPv6, same subnet", vxlan: .crossSubnet, destination: "fd65:2::/122",
      route: "via fd30:1::12 dev eth0 onlink"),
    Case(
      name: "VXLAN, IPv6, other subnet", vxlan: .crossSubnet, destination: "fd65:3::/122",
      route: "via fd65:3:: dev vxlan-v6 onlink"),
    Case(
      name: "VXLAN, borrowed by a remote node", vxlan: .always, destination: "10.65.1.9/32",
      route: "via 10.65.3.0 dev vxlan onlink"),
    Case(
      name: "IPIP always, same subnet", ipip: .always, destination: "10.65.2.0/26",
      route: "via 172.30.1.12 dev tunl0 onlink"),
    Case(
      name: "IPIP always, other subnet", ipip: .always, destination: "10.65.3.0/26",
      route: "via 172.30.2.13 dev tunl0 onlink"),
    Case(
      name: "IPIP across subnets, same", ipip: .crossSubnet, destination: "10.65.2.0/26",
      route: "via 172.30.1.12 dev eth0 onlink"),
    Case(
      name: "IPIP across subnets, other", ipip: .crossSubnet, destination: "10.65.3.0/26",
      route: "via 172.30.2.13 dev tunl0 onlink"),
    Case(
      name: "unencapsulated, on the link", destination: "10.65.2.0/26", route: "via 172.30.1.12 dev eth0 onlink"),
    Case(
      name: "unencapsulated, IPv6, on the link", destination: "fd65:2::/122", route: "via fd30:1::12 dev eth0 onlink"),
    Case(name: "unencapsulated, behind a router", destination: "10.65.3.0/26"),
    Case(name: "unencapsulated, borrowed behind a router", destination: "10.65.1.9/32"),
  ]

  @Test("each row has its route", arguments: cases)
  func row(_ test: Case) throws {
    var world = try World(vxlan: test.vxlan, ipip: test.ipip)
    try world.claim("10.65.1.0/26", "n1", ["10.65.1.9": "n3"])
    try world.claim("10.65.2.0/26", "n2", ["10.65.2.9": "n1"])
    try world.claim("10.65.9.9/32", "n1")
    try world.claim("fd65:9::9/128", "n1")
    try world.claim("10.65.8.0/26", "gone", ["10.65.8.5": "gone-as-well"])
    try world.claim("10.65.7.0/26", "virtual:lb")
    let computation = world.computed()
    #expect(try computation.path(test.destination)?.words == test.route)
    let decision = computation.decision(for: try cidr(test.destination))
    #expect(decision.route?.path.words == test.route)
    #expect(!decision.description.isEmpty && decision.reason != .unclaimed)
  }

  @Test("a route names its owner and claim, and has the table and the family's metric of the configuration")
  func attributes() throws {
    var world = try World(vxlan: .always)
    world.configuration.routeTable = 100
    world.configuration.routeMetricV4 = 7
    try world.claim("10.65.1.0/26", "n1", ["10.65.1.9": "n3"])
    let routes = world.computed().desired.routes
    let borrowed = routes[RouteKey(try cidr("10.65.1.9/32"), table: 100, metric: 7)]
    #expect(borrowed?.owner == "n3")
    #expect(borrowed?.claim == (try cidr("10.65.1.0/26")))
    #expect(borrowed?.isToTunnelAddress == false)
    #expect(routes[RouteKey(try cidr("fd65:2::/122"), table: 100, metric: 1024)]?.owner == "n2")
  }

  @Test("unknown nodes and nodes without an address of the family are reported once each; what is no node is not")
  func unresolved() throws {
    var world = try World()
    world.topology.nodes["n2"]?.v6.underlay = nil
    try world.claim("10.65.8.0/26", "gone", ["10.65.8.5": "gone", "10.65.8.6": "gone"])
    try world.claim("10.65.8.64/26", "gone")
    try world.claim("10.65.7.0/26", "virtual:lb")
    var computation = world.computed()
    #expect(computation.decision(for: try cidr("fd65:2::/122")).reason == .noUnderlay)
    #expect(computation.decision(for: try cidr("10.65.7.0/26")).reason == .virtualOwner)
    let subjects = computation.desired.conditions.keys.filter { $0.kind == .unresolved }.map(\.name).sorted()
    #expect(subjects == ["gone", "n2"])
    // It ends with the last destination, not with the first.
    computation.apply([.claim(try cidr("10.65.8.0/26"), nil)])
    #expect(computation.condition(.unresolved, "gone") != nil)
    computation.apply([.claim(try cidr("10.65.8.64/26"), nil)])
    #expect(computation.condition(.unresolved, "gone") == nil)
  }

  @Test("a VXLAN route waits for all three facts of the other end", arguments: ["address", "hardware", "underlay"])
  func tunnelEnd(missing: String) throws {
    var world = try World(vxlan: .always)
    switch missing {
    case "address": world.topology.nodes["n2"]?.v4.vxlanTunnelAddress = nil
    case "hardware": world.topology.nodes["n2"]?.v4.vxlanHardwareAddress = HardwareAddress("01:00:5e:00:00:01")
    default: world.topology.nodes["n2"]?.v4.underlay = nil
    }
    let computation = world.computed()
    #expect(try computation.path("10.65.2.0/26") == nil)
    #expect(computation.desired.peers[.init(node: "n2", family: .v4)] == nil)
    #expect(computation.condition(.unresolved, "n2") != nil)
    #expect(try computation.path("10.65.3.0/26") != nil)
  }
}
