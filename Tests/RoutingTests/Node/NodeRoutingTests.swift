import IPAddressing
import Netlink
import Synchronization
import Testing

@testable import Routing

/// Source, computation and kernel together.
@Suite("Routing of a node")
struct NodeRoutingTests {
  /// The worked example of routes specification, section 1.10, seen from n1 on a fake kernel.
  private final class Node {
    let kernel = FakeKernel()
    let routing: NodeRouting<FakeKernel>
    var now = Moment.now
    var last = ReconcileReport()
    var topology: Topology

    init(_ mode: RoutingPool.Encapsulation) throws {
      let world = try World(vxlan: mode)
      topology = world.topology
      kernel.add(Link(index: RoutingWorld.eth0, name: "eth0", isUp: true, isRunning: true, mtu: 1500))
      for (address, length) in [("172.30.1.11", 24), ("fd30:1::11", 64)] {
        kernel.addressTable.append(
          InterfaceAddress(interface: RoutingWorld.eth0, address: try ip(address), prefixLength: length))
      }
      let direct = RouteLookup.hop(RouteHop(interface: RoutingWorld.eth0))
      for (router, addresses) in [
        ("172.30.1.1", ["172.30.2.13", "192.0.2.1"]), ("fd30:1::1", ["fd30:2::13", "2001:db8::1"]),
      ] {
        for address in addresses {
          kernel.lookups[try ip(address)] = .hop(RouteHop(gateway: try ip(router), interface: RoutingWorld.eth0))
        }
      }
      kernel.lookups[try ip("172.30.1.12")] = direct
      kernel.lookups[try ip("fd30:1::12")] = direct
      routing = NodeRouting(
        RoutingConfiguration(nodeName: "n1"), kernel: kernel, kernelVersion: KernelVersion(6, 1), seed: 3)
    }

    func tell(_ event: RouteSourceEvent) { routing.receive(event, at: now) }

    /// Passes until nothing is due within some time.
    func settle(_ duration: Duration = .milliseconds(300)) {
      let end = now + duration
      last = routing.pass(at: now)
      while let wake = last.nextWake, wake <= end {
        now = max(now, wake)
        last = routing.pass(at: now)
      }
      now = end
    }

    func gateway(_ text: String) throws -> IPAddress? {
      kernel.route(RouteKey(try cidr(text), metric: text.contains(":") ? 1024 : 0))?.hop?.gateway
    }
  }

  @Test("the worked example: a blackhole, a direct route and one through the tunnel, for both families")
  func workedExample() throws {
    let node = try Node(.crossSubnet)
    node.tell(.snapshot(node.topology))
    node.settle()
    #expect(try node.gateway("10.65.2.0/26") == ip("172.30.1.12"))
    #expect(try node.gateway("10.65.3.0/26") == ip("10.65.3.0"))
    #expect(try node.gateway("fd65:2::/122") == ip("fd30:1::12"))
    #expect(try node.gateway("fd65:3::/122") == ip("fd65:3::"))
    #expect(node.kernel.routeTable.count == 6)
    #expect(node.kernel.link("vxlan.calico")?.mtu == 1450 && node.kernel.link("vxlan-v6.calico")?.mtu == 1430)
    #expect(node.routing.status.isComplete && node.routing.status.conditions.isEmpty)
    #expect(node.routing.status.v4.desired == 3)
  }

  @Test("a pool's mode changes: the same keys are replaced, and nothing is removed before")
  func modeChange() throws {
    let node = try Node(.always)
    node.tell(.snapshot(node.topology))
    node.settle()
    node.kernel.sent = []
    node.tell(.changes([.pool("four", RoutingPool(try cidr("10.65.0.0/16"), vxlan: .crossSubnet))]))
    node.settle()
    #expect(try node.gateway("10.65.2.0/26") == ip("172.30.1.12"))
    #expect(node.kernel.sent.count == 1)
  }

  @Test("changes that come together are programmed together, ten milliseconds after the last, a hundred at most")
  func coalescing() throws {
    let node = try Node(.never)
    node.tell(.snapshot(node.topology))
    node.settle()
    node.kernel.sent = []
    let start = node.now
    for number in 0..<15 {
      node.now = start + .milliseconds(8 * number)
      node.tell(
        .changes([
          .claim(try cidr("10.65.\(40 + number).0/26"), Claim(owners: [try cidr("10.65.\(40 + number).0/26"): "n2"]))
        ]))
      node.last = node.routing.pass(at: node.now)
      if number < 13 { #expect(node.kernel.sent.isEmpty) }
    }
    #expect(node.kernel.sent.count >= 13)
    node.settle()
    #expect(node.kernel.sent.count == 15)
  }

  @Test("R-6: lookups are kept until an interface, an address or the default route changes")
  func lookups() throws {
    let node = try Node(.crossSubnet)
    node.tell(.snapshot(node.topology))
    node.settle()
    node.kernel.dumps = []
    node.tell(.changes([.claim(try cidr("10.65.40.0/26"), Claim(owners: [try cidr("10.65.40.0/26"): "n2"]))]))
    node.settle()
    #expect(!node.kernel.dumps.contains { $0.hasPrefix("lookup") })
    node.kernel.lookups[try ip("172.30.1.12")] = .hop(
      RouteHop(gateway: try ip("172.30.1.1"), interface: RoutingWorld.eth0))
    node.kernel.stranger(
      .addAddress(InterfaceAddress(interface: RoutingWorld.eth0, address: try ip("172.30.7.7"), prefixLength: 32)))
    node.settle()
    #expect(try node.gateway("10.65.2.0/26") == ip("10.65.2.0"))
  }

  @Test("R-8: a remote address that a pod of this node has is left to the pod, until the pod's route is gone")
  func workloads() throws {
    let node = try Node(.never)
    node.kernel.add(Link(index: InterfaceIndex(7), name: "cali1", isUp: true, isRunning: true, mtu: 1500))
    let key = RouteKey(try cidr("10.65.1.9/32"), metric: 1024)
    let pod = Route(key, kind: .unicast, origin: .boot, scope: 253, hop: RouteHop(interface: InterfaceIndex(7)))
    node.kernel.stranger(.addRoute(pod))
    node.topology.claims[try cidr("10.65.1.0/26")]?.owners[try cidr("10.65.1.9/32")] = "n2"
    node.tell(.snapshot(node.topology))
    node.settle()
    #expect(try node.gateway("10.65.1.9/32") == nil)
    #expect(node.routing.status.conditions.keys.contains { $0.kind == .localWorkload })
    node.kernel.stranger(.deleteRoute(pod))
    node.settle()
    #expect(try node.gateway("10.65.1.9/32") == ip("172.30.1.12"))
  }

  @Test("the node's address taken away and given back within 100 ms changes no wish; a loss is believed after that")
  func addressLoss() throws {
    let node = try Node(.crossSubnet)
    node.tell(.snapshot(node.topology))
    node.settle()
    node.kernel.sent = []
    let address = InterfaceAddress(interface: RoutingWorld.eth0, address: try ip("172.30.1.11"), prefixLength: 24)
    node.kernel.stranger(.deleteAddress(address))
    node.settle(.milliseconds(50))
    node.kernel.stranger(.addAddress(address))
    node.settle()
    #expect(try node.gateway("10.65.2.0/26") == ip("172.30.1.12"))
    #expect(!node.kernel.sent.contains { if case .deleteRoute = $0 { true } else { false } })
    node.kernel.stranger(.deleteAddress(address))
    node.settle(.seconds(2))
    #expect(try node.gateway("10.65.2.0/26") != ip("172.30.1.12"))
  }

  @Test("a source that cannot be read is told once, and routes stay and are repaired")
  func interruption() throws {
    let node = try Node(.never)
    node.tell(.snapshot(node.topology))
    node.settle()
    node.tell(.interrupted("no such file"))
    node.settle()
    #expect(node.routing.status.conditions[Condition.Subject(.sourceInterrupted, "source")] != nil)
    let route = try #require(node.kernel.route(RouteKey(try cidr("10.65.2.0/26"), metric: 0)))
    node.kernel.stranger(.deleteRoute(route))
    node.settle()
    #expect(try node.gateway("10.65.2.0/26") == ip("172.30.1.12"))
    node.tell(.snapshot(node.topology))
    node.settle()
    #expect(node.routing.status.conditions[Condition.Subject(.sourceInterrupted, "source")] == nil)
  }

  @Test("R-24: an empty listing removes nothing, and says so")
  func emptyListing() throws {
    let node = try Node(.crossSubnet)
    node.tell(.snapshot(node.topology))
    node.settle()
    node.tell(.snapshot(Topology()))
    node.settle()
    #expect(node.kernel.routeTable.count == 6)
    #expect(node.kernel.link("vxlan.calico") != nil)
    #expect(node.routing.status.conditions.keys.contains { $0.kind == .deletionsHeld })
  }

  @Test("a malformed object is named until it is well again")
  func fault() throws {
    let node = try Node(.never)
    node.tell(.fault(object: "block 10.65.9.0-26", reason: "no CIDR"))
    node.settle()
    #expect(node.routing.status.conditions[Condition.Subject(.malformed, "block 10.65.9.0-26")] != nil)
    node.tell(.fault(object: "block 10.65.9.0-26", reason: nil))
    #expect(node.routing.status.conditions.isEmpty)
  }

  @Test("the plan tells what is present, missing, different, stale and held, and changes nothing")
  func plan() throws {
    let node = try Node(.never)
    node.topology.claims[try cidr("10.65.3.0/26")] = nil
    for (number, owner) in [(20, "n2"), (21, "n2"), (22, "n2")] {
      node.topology.claims[try cidr("10.65.\(number).0/26")] = Claim(
        owners: [try cidr("10.65.\(number).0/26"): owner])
    }
    func present(_ text: String, _ gateway: String, _ origin: RouteProtocol) throws {
      node.kernel.stranger(
        .addRoute(
          Route(
            RouteKey(try cidr(text), metric: 0), kind: .unicast, origin: origin,
            hop: RouteHop(gateway: try ip(gateway), interface: RoutingWorld.eth0, isOnLink: true))))
    }
    try present("10.65.2.0/26", "172.30.1.12", .agent)
    try present("10.65.20.0/26", "172.30.1.99", .agent)
    try present("10.65.21.0/26", "172.30.1.99", .bird)
    try present("10.65.99.0/26", "172.30.1.99", .agent)
    node.tell(.snapshot(node.topology))
    let plan = try node.routing.plan(at: node.now)
    var states: [String: PlannedRoute.State] = [:]
    for route in plan where route.key.family == .v4 { states["\(route.key.destination)"] = route.state }
    #expect(
      states == [
        "10.65.1.0/26": .missing, "10.65.2.0/26": .present, "10.65.20.0/26": .different, "10.65.21.0/26": .held,
        "10.65.22.0/26": .missing, "10.65.99.0/26": .stale,
      ])
    #expect(plan.first { $0.state == .held }?.holder?.contains("BIRD") == true)
    #expect(node.kernel.sent.isEmpty)
  }

  @Test("the loop routes on its own thread, tells what is wrong, answers, and leaves everything in place when it ends")
  func loop() async throws {
    let told = Mutex<[Condition.Subject: Condition?]>([:])
    let loop = try RoutingLoop(
      RoutingConfiguration(nodeName: "n1"),
      listener: RoutingLoop.Listener(
        conditionsChanged: { changes in told.withLock { $0.merge(changes) { $1 } } }))
    let topology = try World().topology
    loop.start { () throws(NetlinkError) -> (FakeKernel, events: CInt) in
      let kernel = FakeKernel()
      kernel.add(Link(index: RoutingWorld.eth0, name: "eth0", isUp: true, isRunning: true, mtu: 1500))
      kernel.addressTable.append(
        InterfaceAddress(
          interface: RoutingWorld.eth0, address: IPAddress(v4: 0xAC1E_010B), prefixLength: 24))
      kernel.lookups[IPAddress(v4: 0xAC1E_010C)] = .hop(RouteHop(interface: RoutingWorld.eth0))
      return (kernel, -1)
    }
    #expect(loop.tell(.snapshot(topology)))
    let status = await withCheckedContinuation { continuation in
      loop.sync { continuation.resume(returning: $0) }
    }
    #expect(status.isInSync && status.v4.present == status.v4.desired && status.v4.desired == 2)
    #expect(told.withLock { $0.keys.contains { $0.kind == .offSubnet } })
    let plan = await withCheckedContinuation { continuation in
      loop.plan { continuation.resume(returning: $0) }
    }
    #expect(try plan.get().routes.contains { $0.state == .present })
    loop.stop()
    #expect(!loop.tell(.snapshot(topology)))
  }

  @Test("who asks a loop that cannot have its sockets, or that is stopped, is answered", .timeLimit(.minutes(1)))
  func answersWithoutKernel() async throws {
    let loop = try RoutingLoop(RoutingConfiguration(nodeName: "n1"))
    loop.start { () throws(NetlinkError) -> (FakeKernel, events: CInt) in
      throw NetlinkError(.unusable, "open a socket", errno: 24)
    }
    func answer() async -> Result<NodePlan, NetlinkError> {
      await withCheckedContinuation { continuation in loop.plan { continuation.resume(returning: $0) } }
    }
    await #expect(throws: NetlinkError.self) { try await answer().get() }
    loop.stop()
    await #expect(throws: NetlinkError.self) { try await answer().get() }
  }
}
