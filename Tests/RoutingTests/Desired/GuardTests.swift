import IPAddressing
import Testing

@testable import Routing

@Suite("What is never programmed (section 1.3)")
struct GuardTests {
  @Test(
    "R-1: a single address that is a node's own is never routed",
    arguments: ["172.30.1.12", "172.30.1.99", "172.30.1.11"])
  func hostAddresses(text: String) throws {
    var world = try World()
    world.topology.pools["wide"] = RoutingPool(try cidr("172.30.0.0/16"))
    world.topology.nodes["n3"]?.otherAddresses = [try address("172.30.1.99")]
    try world.claim("172.30.1.0/24", nil, [text: "n2"])
    var computation = world.computed()
    #expect(try computation.path("\(text)/32") == nil)
    #expect(computation.condition(.guarded, "\(text)/32")?.contains(text) == true)
    // It is for as long as the address is a node's.
    for name in ["n1", "n2", "n3"] {
      var node = try #require(world.topology.nodes[name])
      node.otherAddresses = []
      if node.v4.underlay?.address == (try address(text)) { node.v4.underlay = try cidr("172.30.1.201/24") }
      computation.apply([.node(name, node)])
    }
    computation.learn([try address("172.30.1.201"): .direct(World.parent)])
    #expect(computation.condition(.guarded, "\(text)/32") == nil)
    #expect(try computation.path("\(text)/32") != nil)
  }

  @Test(
    "R-2: a prefix with a node's address or the default router in it is never routed through a tunnel",
    arguments: ["172.30.1.0/28", "172.30.2.0/24", "172.30.1.0/30", "172.30.1.1/32"])
  func covers(text: String) throws {
    for (vxlan, ipip) in [(RoutingPool.Encapsulation.always, RoutingPool.Encapsulation.never), (.never, .always)] {
      var world = try World()
      world.topology.pools["wide"] = RoutingPool(try cidr("172.30.0.0/16"), vxlan: vxlan, ipip: ipip)
      try world.claim(text, "n3")
      let computation = world.computed()
      #expect(try computation.path(text) == nil)
      #expect(computation.condition(.guarded, text)?.contains("172.30.") == true)
      guard case .covers = computation.decision(for: try cidr(text)).reason else {
        Issue.record("\(computation.decision(for: try cidr(text)))")
        continue
      }
    }
  }

  @Test("R-3: under a wrong name this machine is told by its addresses, and nothing of its own is sent to itself")
  func wrongName() throws {
    var world = try World(vxlan: .always)
    try world.claim("10.65.40.0/26", "n2")
    var computation = RouteComputation(RoutingConfiguration(nodeName: "nobody"))
    computation.replace(with: world.topology)
    #expect(try computation.path("10.65.40.0/26") != nil)
    computation.update(LocalNetwork(addresses: [try address("172.30.1.12")]))
    #expect(try computation.path("10.65.40.0/26") == nil)
    #expect(computation.condition(.guarded, "n2") != nil)
    computation.update(LocalNetwork())
    #expect(try computation.path("10.65.40.0/26") != nil)
  }

  @Test("R-2: it holds for as long as the address is in the prefix")
  func coversWhile() throws {
    var world = try World()
    world.topology.pools["wide"] = RoutingPool(try cidr("172.30.0.0/16"), ipip: .always)
    try world.claim("172.30.2.0/24", "n2")
    try world.claim("172.30.9.0/24", "n2")
    var computation = world.computed()
    #expect(try computation.path("172.30.9.0/24") != nil)
    var moved = try #require(world.topology.nodes["n3"])
    moved.v4.underlay = try cidr("172.30.9.13/24")
    computation.apply([.node("n3", moved)])
    #expect(try computation.path("172.30.2.0/24") != nil)
    #expect(try computation.path("172.30.9.0/24") == nil)
    world.local.v4.defaultGateways = [try address("172.30.2.1")]
    computation.update(world.local)
    #expect(try computation.path("172.30.2.0/24") == nil)
    #expect(computation.condition(.guarded, "172.30.2.0/24")?.contains("default router 172.30.2.1") == true)
  }

  @Test("R-2: neither does a blackhole of this node cover what must stay in reach")
  func blackhole() throws {
    var world = try World()
    world.topology.pools["wide"] = RoutingPool(try cidr("172.30.0.0/16"))
    try world.claim("172.30.2.0/26", "n1")
    try world.claim("172.30.9.0/26", "n1")
    let computation = world.computed()
    #expect(try computation.path("172.30.2.0/26") == nil)
    #expect(computation.condition(.guarded, "172.30.2.0/26") != nil)
    #expect(try computation.path("172.30.9.0/26") == .blackhole)
  }

  @Test("R-3: what is this node's own is never sent elsewhere, whoever else claims it")
  func own() throws {
    var world = try World()
    try world.claim("10.65.2.0/26", "n2", ["10.65.2.9": "n1"])
    world.topology.claims[try cidr("10.65.2.8/30")] = Claim(owners: [try cidr("10.65.2.9/32"): "n2"])
    let computation = world.computed()
    #expect(try computation.path("10.65.2.9/32") == nil)
    #expect(computation.decision(for: try cidr("10.65.2.9/32")).reason == .ownAddress)
    #expect(computation.condition(.malformed, "10.65.2.9/32")?.contains("n2") == true)
  }

  @Test(
    "R-3: a node with this node's own address is no next hop",
    arguments: [RoutingPool.Encapsulation.never, .always, .crossSubnet])
  func ownUnderlay(vxlan: RoutingPool.Encapsulation) throws {
    var world = try World(vxlan: vxlan)
    world.topology.nodes["n2"]?.v4.underlay = try cidr("172.30.1.11/24")
    let computation = world.computed()
    #expect(try computation.path("10.65.2.0/26") == nil)
    #expect(computation.desired.peers[.init(node: "n2", family: .v4)] == nil)
    #expect(computation.condition(.guarded, "n2")?.contains("172.30.1.11") == true)
    #expect(try computation.path("10.65.1.0/26") == .blackhole)
  }

  @Test("R-3: an address that the kernel knows as this machine's own is no next hop")
  func local() throws {
    for vxlan in [RoutingPool.Encapsulation.never, .crossSubnet] {
      var world = try World(vxlan: vxlan)
      world.local.reachability[try address("172.30.1.12")] = .local
      let computation = world.computed()
      #expect(try computation.path("10.65.2.0/26") == nil)
      #expect(computation.condition(.guarded, "n2") != nil)
    }
  }

  @Test("R-8: the route to an address that a pod of this node has is held back while it has it")
  func workload() throws {
    var world = try World()
    try world.claim("10.65.1.0/26", "n1", ["10.65.1.9": "n2"])
    world.workloads = [try cidr("10.65.1.9/32"), try cidr("10.65.1.5/32")]
    var computation = world.computed()
    #expect(try computation.path("10.65.1.9/32") == nil)
    #expect(computation.condition(.localWorkload, "10.65.1.9/32")?.contains("n2") == true)
    #expect(computation.desired.conditions.keys.filter { $0.kind == .localWorkload }.count == 1)
    computation.update(workloads: [try cidr("10.65.1.5/32")])
    #expect(try computation.path("10.65.1.9/32")?.words == "via 172.30.1.12 dev eth0 onlink")
    #expect(computation.condition(.localWorkload, "10.65.1.9/32") == nil)
  }

  @Test("a claim for what lies outside of it is left out and reported")
  func outside() throws {
    var world = try World()
    let block = try cidr("10.65.2.0/26")
    world.topology.claims[block] = Claim(owners: [
      block: "n2", try cidr("0.0.0.0/0"): "n2", try cidr("fd65:2::/122"): "n3", try cidr("10.65.2.64/32"): "n2",
    ])
    let computation = world.computed()
    #expect(try computation.path("10.65.2.0/26") != nil)
    #expect(try computation.path("0.0.0.0/0") == nil)
    #expect(try computation.path("10.65.2.64/32") == nil)
    let message = try #require(computation.condition(.malformed, "10.65.2.0/26"))
    #expect(message.contains("0.0.0.0/0") && message.contains("10.65.2.64/32"))
    #expect(computation.decision(for: try cidr("fd65:2::/122")).contradictions.isEmpty)
  }

  @Test(
    "addresses of nodes that nobody can send to are as good as none, and reported",
    arguments: [
      "127.0.0.1/8", "0.0.0.0/0", "224.0.0.5/24", "255.255.255.255/32",
    ])
  func unusable(text: String) throws {
    var world = try World()
    world.topology.nodes["n2"]?.v4.underlay = try cidr(text)
    let computation = world.computed()
    #expect(computation.decision(for: try cidr("10.65.2.0/26")).reason == .noUnderlay)
    #expect(computation.condition(.malformed, "node n2")?.contains("IPv4") == true)
  }
}
