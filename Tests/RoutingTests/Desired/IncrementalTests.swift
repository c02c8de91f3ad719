import IPAddressing
import Netlink
import TestSupport
import Testing

@testable import Routing

@Suite("Change by change as from scratch")
struct IncrementalTests {
  @Test(
    "what was told adds up to what a new computation comes to, and reasons do as well",
    arguments: (1...24).map { UInt64($0) })
  func incremental(seed: UInt64) {
    var world = RandomTopology(seed: seed)
    let configuration = world.configuration()
    var computation = RouteComputation(configuration)
    var told = DesiredNetwork()
    for step in 0..<60 {
      turn(&world, &computation)
      guard world.chance(70) else { continue }
      told.apply(computation.takeChanges())
      var fresh = RouteComputation(configuration)
      fresh.replace(with: world.topology)
      fresh.update(workloads: world.workloads)
      fresh.update(world.local)
      guard told == fresh.desired, told == computation.desired else {
        Issue.record("seed \(seed), step \(step): \(difference(told, fresh.desired))")
        return
      }
      let isSame =
        computation.decisions == fresh.decisions && computation.wantedLookups == fresh.wantedLookups
        && computation.unansweredLookups == fresh.wantedLookups.subtracting(world.local.reachability.keys)
      guard isSame else {
        Issue.record("seed \(seed), step \(step): decisions or lookups differ")
        return
      }
      let violations = violations(fresh, world)
      guard violations.isEmpty else {
        Issue.record("seed \(seed), step \(step): \(violations)")
        return
      }
    }
    // With nothing left, nothing is.
    computation.replace(with: Topology())
    told.apply(computation.takeChanges())
    #expect(told == DesiredNetwork(), "seed \(seed)")
    #expect(computation.destinations.tree.count == 0 && computation.wantedLookups.isEmpty, "seed \(seed)")
  }

  private func turn(_ world: inout RandomTopology, _ computation: inout RouteComputation) {
    switch Int.random(in: 0..<10, using: &world.generator) {
    case 0:
      world.changeLocal()
      computation.update(world.local)
    case 1:
      let answers = world.answers()
      world.local.reachability.merge(answers) { $1 }
      computation.learn(answers)
    case 2:
      world.changeWorkloads()
      computation.update(workloads: world.workloads)
    case 3:
      for _ in 0..<5 { _ = world.change() }
      computation.replace(with: world.topology)
    default:
      var changes: [TopologyChange] = []
      for _ in 0..<Int.random(in: 1...4, using: &world.generator) { changes.append(world.change()) }
      computation.apply(changes)
    }
  }

  /// What does not hold that holds whatever the inputs are.
  private func violations(_ computation: RouteComputation, _ world: RandomTopology) -> [String] {
    let desired = computation.desired
    let nodes = world.topology.nodes
    let underlays = nodes.values.flatMap { [$0.v4.underlay?.address, $0.v6.underlay?.address] }.compactMap { $0 }
    let hosts = Set(underlays + nodes.values.flatMap(\.otherAddresses))
    var violations: [String] = []
    for (key, route) in desired.routes {
      let destination = key.destination
      func require(_ holds: Bool, _ what: String) {
        if !holds { violations.append("\(what): \(destination) \(route.path.words)") }
      }
      require(!destination.hasHostBits, "host bits")
      guard case .hop(let role, let gateway, let isOnLink) = route.path else {
        require(destination.hostBits > 0 || route.path == .unreachable, "a blackhole of one address")
        continue
      }
      require(route.owner != "n1", "R-3: own addresses sent away")
      // What is not on the link is the kernel's answer, which here is a random one.
      if let gateway, isOnLink {
        require(gateway != nodes["n1"]?[key.family].underlay?.address, "R-3: own address as gateway")
      }
      if destination.hostBits == 0 {
        require(!hosts.contains(destination.address), "R-1")
        require(!world.workloads.contains(destination), "R-8")
      }
      guard role.isTunnel else { continue }
      require(!underlays.contains { destination.contains($0) && $0.isReachableElsewhere }, "R-2")
      require(desired.devices[role] != nil, "no device")
      guard case .vxlan = role else { continue }
      let peer = desired.peers[.init(node: route.owner, family: key.family)]
      require(peer != nil, "no peer")
      require((gateway ?? destination.address) == peer?.tunnelAddress, "not the peer's address")
    }
    for family in [AddressFamily.v4, .v6] {
      let peers = desired.peers.filter { $0.key.family == family }.values
      if Set(peers.map(\.tunnelAddress)).count < peers.count { violations.append("a tunnel address twice") }
      if Set(peers.map(\.hardwareAddress)).count < peers.count { violations.append("a hardware address twice") }
    }
    return violations
  }

  private func difference(_ told: DesiredNetwork, _ fresh: DesiredNetwork) -> String {
    var lines: [String] = []
    for key in Set(told.routes.keys).union(fresh.routes.keys) where told.routes[key] != fresh.routes[key] {
      lines.append("\(key.destination): \(told.routes[key], default: "none") for \(fresh.routes[key], default: "none")")
    }
    for key in Set(told.conditions.keys).union(fresh.conditions.keys)
    where told.conditions[key] != fresh.conditions[key] {
      lines.append("\(key): \(told.conditions[key], default: "none") for \(fresh.conditions[key], default: "none")")
    }
    if told.peers != fresh.peers { lines.append("peers \(told.peers) for \(fresh.peers)") }
    if told.devices != fresh.devices { lines.append("devices \(told.devices) for \(fresh.devices)") }
    return lines.isEmpty ? "the computation itself" : lines.joined(separator: "\n")
  }
}
