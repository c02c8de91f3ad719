import CalicoModel
import Datastore
import IPAddressing
import RouteSources
import Routing
import Testing

@Suite("Ranges of nodes as a source of routes")
struct PodRangeSourceTests {
  let cluster = Cluster()
  private static let range = CIDR.text("10.1.0.0/24")

  private func probe() -> SourceProbe {
    SourceProbe(DatastoreRouteSource(cluster.store, nodeName: "self", mode: .podCIDRs))
  }

  private func node(_ name: String, _ ranges: String, created second: Int = 1) async throws {
    try await cluster.node(
      name, #""podCIDRs":[\#(ranges)]"#, metadata: #","creationTimestamp":"2026-08-22T13:33:0\#(second)Z""#)
  }

  @Test("each range is its node's, and the address on the IPIP device is the first behind the range's own")
  func ranges() async throws {
    try await node("n1", #""10.1.0.0/24","fd01::/64""#)
    try await cluster.claim(blockA, "n1")
    let probe = probe()
    let told = await probe.wait { $0.snapshots == 1 }
    let v6 = CIDR.text("fd01::/64")
    #expect(
      told.topology.claims == [Self.range: Claim(["10.1.0.0/24": "n1"]), v6: Claim(["fd01::/64": "n1"])])
    #expect(told.topology.nodes["n1"]?.ipipTunnelAddress == IPAddress("10.1.0.1"))
    try await node("n1", #""10.2.0.0/24""#)
    await probe.wait { $0.topology.claims == [.text("10.2.0.0/24"): Claim(["10.2.0.0/24": "n1"])] }
  }

  @Test("a range that is used again is the new node's, whichever of the two is told first", arguments: [true, false])
  func reuse(newIsFirst: Bool) async throws {
    let (old, new) = newIsFirst ? ("z-old", "a-new") : ("a-old", "z-new")
    try await node(old, #""10.1.0.0/24""#)
    let probe = probe()
    await probe.wait { $0.topology.claims == [Self.range: Claim(["10.1.0.0/24": old])] }
    try await node(new, #""10.1.0.0/24""#, created: 5)
    let told = await probe.wait { $0.topology.claims == [Self.range: Claim(["10.1.0.0/24": new])] }
    #expect(told.faults.keys.sorted() == ["range 10.1.0.0/24"])
    #expect(told.topology.nodes.mapValues(\.podCIDRs) == [old: [], new: [Self.range]])
    // The late end of the old node takes nothing away.
    try await cluster.put(.resource(.node, old), nil)
    await probe.wait { $0.faults.isEmpty && $0.topology.nodes[old] == nil }
    #expect(probe.told.topology.claims == [Self.range: Claim(["10.1.0.0/24": new])])
    try await cluster.put(.resource(.node, new), nil)
    await probe.wait { $0.topology.claims.isEmpty }
  }

  @Test("of two nodes with one range the newer one has it from the start")
  func bothAtStart() async throws {
    try await node("a", #""10.1.0.0/24""#, created: 3)
    try await node("b", #""10.1.0.0/24""#, created: 4)
    try await node("c", #""10.1.0.0/24""#, created: 2)
    let told = await probe().wait { $0.snapshots == 1 }
    #expect(told.topology.claims == [Self.range: Claim(["10.1.0.0/24": "b"])])
    #expect(
      told.faults["range 10.1.0.0/24"]
        == "nodes a and b and c have the same range of pod addresses; it is taken to be that of b, the newest")
  }
}
