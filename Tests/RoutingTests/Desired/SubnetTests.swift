import IPAddressing
import Netlink
import Testing

@testable import Routing

@Suite("On the link or not (sections 1.5 to 1.7)")
struct SubnetTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    /// n1's address as the datastore has it; nil for none.
    var configured: String? = "172.30.1.11/24"
    /// The same as found on the interface; nil for no interface.
    var found: String? = "172.30.1.11/24"
    /// The kernel's answer for n2; nil for none yet.
    var answer: Reachability? = .direct(World.parent)
    var isDirect: Bool
    /// Whether an answer is wanted.
    var isAsked = true

    var testDescription: String { name }
  }

  static let router = Reachability.viaRouter(IPAddress(v4: 0xAC1E_0101), World.parent)
  static let cases: [Case] = [
    Case(name: "same subnet, and on the link", isDirect: true),
    Case(name: "same subnet, but behind a router", answer: router, isDirect: false),
    Case(name: "same subnet, but by another interface", answer: .direct(InterfaceIndex(9)), isDirect: false),
    Case(name: "same subnet, but out of reach", answer: .unreachable, isDirect: false),
    Case(name: "same subnet, not looked up yet", answer: nil, isDirect: false),
    Case(name: "other subnet, though on the link", configured: "172.30.1.11/30", isDirect: false, isAsked: false),
    Case(name: "length unknown, found on the interface", configured: "172.30.1.11/32", isDirect: true),
    Case(
      name: "length unknown, and a host's on the interface", configured: "172.30.1.11/32", found: "172.30.1.11/32",
      isDirect: false, isAsked: false),
    Case(
      name: "length unknown, small on the interface", configured: "172.30.1.11/32", found: "172.30.1.11/30",
      isDirect: false, isAsked: false),
    Case(name: "own address unknown", configured: nil, isDirect: false, isAsked: false),
    Case(name: "no parent", found: nil, isDirect: false, isAsked: false),
    Case(name: "a known length is not replaced by the interface's", found: "172.30.1.11/32", isDirect: true),
  ]

  @Test("R-6: the configured test and the kernel's word make the same subnet", arguments: cases)
  func sameSubnet(_ test: Case) throws {
    var world = try World(vxlan: .crossSubnet)
    world.topology.nodes["n1"]?.v4.underlay = try test.configured.map { try cidr($0) }
    world.local.v4.parent = try test.found.map {
      .init(index: World.parent, name: "eth0", mtu: 1500, address: try cidr($0))
    }
    world.local.reachability[try address("172.30.1.12")] = test.answer
    let computation = world.computed()
    let tunnel = "via 10.65.2.0 dev vxlan onlink"
    #expect(try computation.path("10.65.2.0/26")?.words == (test.isDirect ? "via 172.30.1.12 dev eth0 onlink" : tunnel))
    #expect(computation.wantedLookups.contains(try address("172.30.1.12")) == test.isAsked)
    #expect(computation.unansweredLookups.contains(try address("172.30.1.12")) == (test.isAsked && test.answer == nil))
  }

  @Test("R-6: the same holds for IPv6, where 128 says that the length is not known")
  func sameSubnetV6() throws {
    var world = try World(vxlan: .crossSubnet)
    world.topology.nodes["n1"]?.v6.underlay = try cidr("fd30:1::11/128")
    var computation = world.computed()
    #expect(try computation.path("fd65:2::/122")?.words == "via fd30:1::12 dev eth0 onlink")
    world.local.v6.parent?.address = try cidr("fd30:1::11/128")
    computation.update(world.local)
    #expect(try computation.path("fd65:2::/122")?.words == "via fd65:2:: dev vxlan-v6 onlink")
  }

  @Test("R-6: only pools that are not always encapsulated need lookups, and only of nodes with destinations there")
  func lookups() throws {
    #expect(try World(vxlan: .always).computed().wantedLookups.isEmpty)
    #expect(
      try World(ipip: .always).computed().wantedLookups == [try address("fd30:1::12"), try address("fd30:2::13")])
    // Not n3: the configured test has decided.
    let across = try World(vxlan: .crossSubnet).computed()
    #expect(across.wantedLookups == [try address("172.30.1.12"), try address("fd30:1::12")])
    var bare = try World().computed()
    #expect(bare.wantedLookups.count == 4)
    #expect(bare.unansweredLookups.isEmpty)
    bare.apply([.claim(try cidr("10.65.3.0/26"), nil), .claim(try cidr("fd65:3::/122"), nil)])
    #expect(bare.wantedLookups == [try address("172.30.1.12"), try address("fd30:1::12")])
    bare.apply([.node("n2", nil)])
    #expect(bare.wantedLookups.isEmpty)
  }

  struct Policy: Sendable, CustomTestStringConvertible {
    var policy: RoutingConfiguration.OffSubnetPolicy
    var answer: Reachability?
    var route: String?
    var isReported = false

    var testDescription: String { "\(policy.rawValue), \(answer.map { "\($0)" } ?? "no answer")" }
  }

  static let policies: [Policy] = [
    Policy(policy: .skip, answer: router, isReported: true),
    Policy(policy: .skip, answer: .direct(InterfaceIndex(9)), isReported: true),
    Policy(policy: .skip, answer: .unreachable, isReported: true),
    Policy(policy: .skip, answer: nil),
    Policy(policy: .skip, answer: .direct(World.parent), route: "via 172.30.2.13 dev eth0 onlink"),
    Policy(policy: .viaRouter, answer: router, route: "via 172.30.1.1 dev eth0"),
    Policy(
      policy: .viaRouter, answer: .viaRouter(IPAddress(v4: 0xAC1E_0901), InterfaceIndex(9)),
      route: "via 172.30.9.1 dev if9"),
    Policy(policy: .viaRouter, answer: .direct(InterfaceIndex(9)), route: "via 172.30.2.13 dev if9"),
    Policy(policy: .viaRouter, answer: .unreachable, isReported: true),
    Policy(policy: .viaRouter, answer: nil),
    Policy(policy: .viaRouter, answer: .direct(World.parent), route: "via 172.30.2.13 dev eth0 onlink"),
    Policy(policy: .onlink, answer: router, route: "via 172.30.2.13 dev eth0 onlink"),
    Policy(policy: .onlink, answer: nil, route: "via 172.30.2.13 dev eth0 onlink"),
  ]

  @Test("R-7: an unencapsulated node that is not on the link is left out, routed or taken as is", arguments: policies)
  func offSubnet(_ test: Policy) throws {
    var world = try World()
    world.configuration.offSubnetPolicy = test.policy
    world.local.reachability[try address("172.30.2.13")] = test.answer
    world.topology.pools["six"] = nil
    let computation = world.computed()
    #expect(try computation.path("10.65.3.0/26")?.words == test.route)
    #expect((computation.condition(.offSubnet, "n3") != nil) == test.isReported)
    #expect(computation.condition(.offSubnet, "n2") == nil)
  }

  @Test("a changed parent moves direct routes to another interface without taking them away")
  func parentMoves() throws {
    var world = try World()
    var computation = world.computed()
    _ = computation.takeChanges()
    world.local.v4.parent?.index = InterfaceIndex(7)
    world.local.reachability[try address("172.30.1.12")] = .direct(InterfaceIndex(7))
    computation.update(world.local)
    #expect(computation.takeChanges().routes.isEmpty)
    #expect(try computation.path("10.65.2.0/26")?.words == "via 172.30.1.12 dev eth0 onlink")
  }

  @Test("without an interface that has the node's address this is reported, by family, until there is one")
  func noParent() throws {
    var world = try World()
    let there = world.local
    world.local.v4.parent = nil
    var computation = world.computed()
    #expect(computation.condition(.noParent, "IPv4")?.contains("172.30.1.11") == true)
    #expect(computation.condition(.noParent, "IPv6") == nil)
    #expect(try computation.path("10.65.2.0/26") == nil)
    #expect(try computation.path("10.65.1.0/26") == .blackhole)
    computation.update(there)
    #expect(computation.condition(.noParent, "IPv4") == nil)
    #expect(try computation.path("10.65.2.0/26") != nil)
  }

  @Test("an MTU that changes is no business of routes")
  func mtu() throws {
    var world = try World()
    var computation = world.computed()
    _ = computation.takeChanges()
    let work = computation.work
    world.local.v4.parent?.mtu = 9000
    computation.update(world.local)
    #expect(computation.work == work && computation.takeChanges().isEmpty)
  }

  @Test("a lookup of the kernel comes to an answer")
  func answers() throws {
    let router = try address("172.30.1.1")
    let hop = { (gateway: IPAddress?, index: InterfaceIndex?) in
      Reachability(.hop(RouteHop(gateway: gateway, interface: index)))
    }
    #expect(hop(nil, World.parent) == .direct(World.parent))
    #expect(hop(router, World.parent) == .viaRouter(router, World.parent))
    #expect(hop(router, nil) == .unreachable)
    #expect(Reachability(.local) == .local)
    #expect(Reachability(.unreachable(errno: 101)) == .unreachable)
  }
}
