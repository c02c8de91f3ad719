import IPAddressing
import Testing

@testable import Routing

/// When another node's own address on a tunnel needs a route of its own.
@Suite("Routes to tunnel addresses (section 1.3)")
struct TunnelAddressRouteTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var vxlan = RoutingPool.Encapsulation.always
    var ipip = RoutingPool.Encapsulation.never
    /// The block that has n3's address, and its node; nil for no block.
    var block: String?
    var host: String?
    var isIPIP = false
    var address = "10.65.40.7"
    var route: String?

    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(
      name: "a block by itself", block: "10.65.40.7/32", host: "n3", route: "dev vxlan"),
    Case(name: "borrowed from this node", block: "10.65.40.0/26", host: "n1", route: "dev vxlan"),
    Case(name: "borrowed from another node", block: "10.65.40.0/26", host: "n2", route: "dev vxlan"),
    Case(name: "in a block that no node has", block: "10.65.40.0/26", route: "dev vxlan"),
    Case(name: "in a block of no node", block: "10.65.40.0/26", host: "virtual:lb", route: "dev vxlan"),
    Case(name: "in a block of its own node", block: "10.65.40.0/26", host: "n3"),
    Case(name: "in no block"),
    Case(name: "in a pool that is not encapsulated", vxlan: .never, block: "10.65.40.0/26", host: "n1"),
    Case(
      name: "in a pool of another kind", vxlan: .never, ipip: .always, block: "10.65.40.0/26", host: "n1"),
    Case(
      name: "IPv6, borrowed", block: "fd65:40::/122", host: "n1", address: "fd65:40::7", route: "dev vxlan-v6"),
    Case(name: "IPv6, in a block of its own node", block: "fd65:40::/122", host: "n3", address: "fd65:40::7"),
    Case(
      name: "IPIP, borrowed", vxlan: .never, ipip: .always, block: "10.65.40.0/26", host: "n1", isIPIP: true,
      route: "via 172.30.2.13 dev tunl0 onlink"),
    Case(
      name: "IPIP, in a block of its own node", vxlan: .never, ipip: .always, block: "10.65.40.0/26", host: "n3",
      isIPIP: true),
    Case(name: "IPIP, in a VXLAN pool", block: "10.65.40.0/26", host: "n1", isIPIP: true),
  ]

  private func world(_ test: Case) throws -> World {
    var world = try World(vxlan: test.vxlan, ipip: test.ipip)
    let tunnel = try address(test.address)
    world.topology.nodes["n3"]?.ipipTunnelAddress = nil
    if test.isIPIP {
      world.topology.nodes["n3"]?.ipipTunnelAddress = tunnel
    } else {
      world.topology.nodes["n3"]?[tunnel.family].vxlanTunnelAddress = tunnel
    }
    if let block = test.block { try world.claim(block, test.host) }
    return world
  }

  @Test("each row has its route", arguments: cases)
  func row(_ test: Case) throws {
    let computation = try world(test).computed()
    let destination = CIDR(host: try address(test.address))
    let route = computation.desired.routes[computation.configuration.key(destination)]
    #expect(route?.path.words == test.route)
    if let route {
      #expect(route.isToTunnelAddress)
      #expect(route.owner == "n3")
      #expect(route.claim == (try cidr(test.block ?? "")))
    }
  }

  @Test("across subnets, the address of a node on the link is reached directly")
  func direct() throws {
    var world = try World(vxlan: .crossSubnet)
    world.topology.nodes["n2"]?.v4.vxlanTunnelAddress = try address("10.65.3.7")
    let computation = world.computed()
    #expect(try computation.path("10.65.3.7/32")?.words == "via 172.30.1.12 dev eth0 onlink")
  }

  @Test("this node's own tunnel address has no route, wherever it is borrowed from")
  func own() throws {
    var world = try World(vxlan: .always)
    world.topology.nodes["n1"]?.v4.vxlanTunnelAddress = try address("10.65.3.7")
    try world.claim("10.65.3.0/26", "n3", ["10.65.3.7": "n1"])
    let computation = world.computed()
    #expect(try computation.path("10.65.3.7/32") == nil)
    #expect(computation.desired.devices[.vxlan(.v4)]?.address == (try address("10.65.3.7")))
  }

  @Test("a tunnel address that is recorded for another node is the node's whose it is, and reported")
  func contradiction() throws {
    var world = try World(vxlan: .always)
    world.topology.nodes["n3"]?.v4.vxlanTunnelAddress = try address("10.65.2.7")
    try world.claim("10.65.2.0/26", "n2", ["10.65.2.7": "n4"])
    let computation = world.computed()
    #expect(try computation.path("10.65.2.7/32")?.words == "dev vxlan")
    #expect(computation.condition(.malformed, "10.65.2.7/32")?.contains("n4") == true)
  }

  @Test("it follows the block: from this node's to that of the node with the address, and back")
  func follows() throws {
    let borrowed = Case(name: "", block: "10.65.40.0/26", host: "n1")
    var computation = try world(borrowed).computed()
    _ = computation.takeChanges()
    let block = try cidr("10.65.40.0/26")
    let key = computation.configuration.key(try cidr("10.65.40.7/32"))
    computation.apply([.claim(block, Claim(owners: [block: "n3"]))])
    var changes = computation.takeChanges()
    #expect(changes.routes.keys.contains(key) && changes.routes[key] == .some(nil))
    computation.apply([.claim(block, Claim(owners: [:]))])
    changes = computation.takeChanges()
    #expect(changes.routes[key]??.path.words == "dev vxlan")
    computation.apply([.claim(block, nil)])
    #expect(computation.takeChanges().routes[key] == .some(nil))
  }
}
