import CalicoModel
import Datastore
import IPAddressing
import RouteSources
import Routing
import Testing

@Suite("Malformed objects, and datastores that fail")
struct BlockSourceFaultTests {
  let memory = InMemoryDatastore()
  let store: CountingStore
  let cluster: Cluster

  init() {
    store = CountingStore(memory)
    cluster = Cluster(store)
  }

  private func probe() -> SourceProbe {
    var options = RouteSourceOptions()
    options.listingInterval = nil
    options.firstPause = .milliseconds(2)
    options.longestPause = .milliseconds(10)
    return SourceProbe(DatastoreRouteSource(store, nodeName: "self", options: options))
  }

  @Test("what is malformed is named and left out, the rest is told, and what is repaired is well again")
  func malformed() async throws {
    try await cluster.put(.resource(.ipPool, "bad"), text: "{")
    try await cluster.pool("worse", #""cidr":"10.0.0.0/8","vxlanMode":"Sometimes""#)
    try await cluster.pool("good", #""cidr":"10.65.0.0/16""#)
    try await cluster.put(.resource(.node, "n1"), text: "[]")
    try await cluster.node("n2", #""bgp":{"ipv4Address":"nowhere","ipv4IPIPTunnelAddr":"10.65.0.1"}"#)
    try await cluster.put(.block(blockA), text: #"{"cidr":"10.65.0.0/26","allocations":[]}"#)
    try await cluster.affinity("n2", blockA)
    try await cluster.put(.affinity(BlockOwner(.host, "n2"), blockB), text: "7")
    try await cluster.block(blockB, of: "n2")
    try await cluster.put(.configuration, text: "no")
    let probe = probe()
    let told = await probe.wait { $0.snapshots == 1 }
    #expect(
      Set(told.faults.keys) == [
        "IPPool bad", "IPPool worse", "Node n1", "Node n2", "block 10.65.0.0/26",
        "BlockAffinity of host:n2 to 10.65.0.64/26", "IPAMConfiguration default",
      ])
    #expect(
      told.faults["IPPool worse"]
        == "spec.vxlanMode is none of Never, Always, CrossSubnet; left out until it is repaired")
    #expect(
      told.faults["Node n2"]
        == "spec.bgp.ipv4Address is \"nowhere\", which is not an IPv4 address with its prefix length; the rest of it is used"
    )
    #expect(told.topology.pools.keys.sorted() == ["good"])
    #expect(told.topology.nodes == ["n2": RoutingNode(ipipTunnelAddress: IPAddress("10.65.0.1"))])
    #expect(told.topology.claims == [blockB: Claim(["10.65.0.64/26": "n2"])])
    try await cluster.pool("worse", #""cidr":"10.0.0.0/8","vxlanMode":"Always""#)
    try await cluster.put(.resource(.ipPool, "bad"), nil)
    try await cluster.node("n1", #""addresses":[{"type":"InternalIP","address":"172.30.1.11"}]"#)
    try await cluster.node("n2", "")
    try await cluster.block(blockA, of: "n2")
    try await cluster.affinity("n2", blockB)
    try await cluster.strictAffinity(true)
    let repaired = await probe.wait { $0.faults.isEmpty && $0.topology.claims.count == 2 }
    #expect(repaired.topology.pools.count == 2)
    #expect(repaired.topology.nodes["n1"]?.v4.underlay == CIDR("172.30.1.11/32"))
  }

  @Test("what becomes malformed holds as it was understood last")
  func becomesMalformed() async throws {
    try await cluster.pool("p", #""cidr":"10.65.0.0/16""#)
    try await cluster.node("n2", "")
    try await cluster.claim(blockA, "self")
    let probe = probe()
    await probe.wait { $0.snapshots == 1 }
    try await cluster.put(.resource(.ipPool, "p"), text: "")
    try await cluster.put(.resource(.node, "n2"), text: "")
    try await cluster.put(.block(blockA), text: "")
    let told = await probe.wait { $0.faults.count == 3 }
    #expect(told.topology.pools.count == 1)
    #expect(told.topology.nodes.count == 1)
    #expect(told.topology.claims == [blockA: Claim(["10.65.0.0/26": "self"])])
    #expect(told.faults["block 10.65.0.0/26"]?.hasSuffix("; what was known of it holds until it is repaired") == true)
  }

  @Test("a store that cannot be reached interrupts once, and then there is a snapshot of what has changed")
  func unreachable() async throws {
    try await cluster.claim(blockA, "n2")
    let probe = probe()
    await probe.wait { $0.snapshots == 1 }
    store.fail(DatastoreError(.unavailable, "the lights are out"))
    try await Cluster(memory).claim(blockB, "n3")
    await probe.wait { $0.log.contains("interrupted the lights are out") }
    // Several attempts fail meanwhile, and are not told of again.
    try await Task.sleep(for: .milliseconds(100))
    #expect(probe.told.log == ["snapshot", "interrupted the lights are out"])
    #expect(probe.told.topology.claims.count == 1)
    store.fail(nil)
    let told = await probe.wait { $0.snapshots == 2 }
    #expect(told.log == ["snapshot", "interrupted the lights are out", "snapshot"])
    #expect(told.topology.claims.count == 2)
  }

  @Test("a store that cannot be reached from the start is waited for")
  func unreachableAtStart() async throws {
    try await cluster.claim(blockA, "n2")
    store.fail(DatastoreError(.forbidden, "no entry"))
    let probe = probe()
    await probe.wait { $0.log == ["interrupted no entry"] }
    store.fail(nil)
    #expect(await probe.wait { $0.snapshots == 1 }.topology.claims.count == 1)
  }

  @Test("a gap in the watch ends in a snapshot without an interruption")
  func gap() async throws {
    let memory = InMemoryDatastore(changeLogCapacity: 2)
    let cluster = Cluster(memory)
    let store = CountingStore(memory)
    var options = RouteSourceOptions()
    options.listingInterval = nil
    options.firstPause = .milliseconds(2)
    let probe = SourceProbe(DatastoreRouteSource(store, nodeName: "self", options: options))
    await probe.wait { $0.snapshots == 1 }
    let changes = (0..<8).map { number in
      Change(
        .resource(.node, "n\(number)"), base: .any, final: .value(.resource(Array(#"{"spec":{}}"#.utf8))))
    }
    _ = try await memory.commit(Plan(changes), deadline: .distantFuture)
    try await cluster.claim(blockA, "n2")
    let told = await probe.wait { $0.topology.claims.count == 1 && $0.topology.nodes.count == 8 }
    #expect(told.snapshots == 2)
    #expect(told.log.allSatisfy { !$0.hasPrefix("interrupted") })
  }
}
