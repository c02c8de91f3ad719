import CalicoModel
import Datastore
import IPAddressing
import RouteSources
import Routing
import Testing

@Suite("Blocks as a source of routes")
struct BlockSourceTests {
  let cluster = Cluster()

  private func probe(_ change: (inout RouteSourceOptions) -> Void = { _ in }) -> SourceProbe {
    var options = RouteSourceOptions()
    options.listingInterval = nil
    options.firstPause = .milliseconds(5)
    options.longestPause = .milliseconds(20)
    change(&options)
    return SourceProbe(DatastoreRouteSource(cluster.store, nodeName: "self", options: options))
  }

  @Test("the snapshot has pools, nodes, and what each block says")
  func snapshot() async throws {
    try await cluster.pool("p", #""cidr":"10.65.0.0/16","vxlanMode":"CrossSubnet","allowedUses":["Workload"]"#)
    try await cluster.node("n2", #""bgp":{"ipv4Address":"172.30.1.12/24"},"ipv4VXLANTunnelAddr":"10.65.0.64""#)
    try await cluster.claim(blockA, "self", [1: "self", 5: "n2"])
    try await cluster.claim(blockB, "n2", [0: "n2", 9: "n3"])
    let told = await probe().wait { $0.snapshots == 1 }
    #expect(told.topology.pools == ["p": RoutingPool(.text("10.65.0.0/16"), vxlan: .crossSubnet)])
    let node = try #require(told.topology.nodes["n2"])
    #expect(node.v4.underlay == CIDR("172.30.1.12/24"))
    #expect(node.v4.vxlanTunnelAddress == IPAddress("10.65.0.64"))
    #expect(
      told.topology.claims == [
        blockA: Claim(["10.65.0.0/26": "self", "10.65.0.5/32": "n2"]),
        blockB: Claim(["10.65.0.64/26": "n2", "10.65.0.73/32": "n3"]),
      ])
    #expect(told.faults.isEmpty)
  }

  @Test("a block that is claimed, moved and given up is told of as it happens")
  func affinities() async throws {
    let probe = probe()
    await probe.wait { $0.snapshots == 1 }
    try await cluster.claim(blockA, "n2")
    await probe.wait { $0.topology.claims == [blockA: Claim(["10.65.0.0/26": "n2"])] }
    try await cluster.affinity("n2", blockA, nil)
    try await cluster.block(blockA, of: "n3")
    try await cluster.affinity("n3", blockA)
    await probe.wait { $0.topology.claims == [blockA: Claim(["10.65.0.0/26": "n3"])] }
    try await cluster.affinity("n3", blockA, .pendingDeletion)
    try await cluster.put(.block(blockA), nil)
    await probe.wait { $0.topology.claims.isEmpty }
    try await cluster.affinity("n3", blockA, nil)
    #expect(await probe.wait { $0.topology.claims.isEmpty }.snapshots == 1)
  }

  @Test("R-4: a pending affinity says nothing, and the block that follows it is learned of when it is written")
  func pending() async throws {
    let probe = probe()
    await probe.wait { $0.snapshots == 1 }
    try await cluster.affinity("n2", blockA, .pending)
    try await cluster.claim(blockB, "n3")
    #expect(await probe.wait { $0.topology.claims[blockB] != nil }.topology.claims[blockA] == nil)
    // The node dies here, before it has confirmed the affinity: only the block's own name tells of the block.
    try await cluster.block(blockA, of: "n2")
    await probe.wait { $0.topology.claims[blockA] == Claim(["10.65.0.0/26": "n2"]) }
  }

  @Test("R-4: of two affinities to one block the one counts that the block names, and the contradiction is reported")
  func twoAffinities() async throws {
    try await cluster.claim(blockA, "n2")
    try await cluster.affinity("n3", blockA)
    let probe = probe()
    let told = await probe.wait { $0.snapshots == 1 }
    #expect(told.topology.claims == [blockA: Claim(["10.65.0.0/26": "n2"])])
    #expect(
      told.faults["block 10.65.0.0/26"]
        == "there are affinities of host:n2 and host:n3; the block itself, which counts, is affine to host:n2")
    try await cluster.block(blockA, of: "n3")
    await probe.wait { $0.topology.claims == [blockA: Claim(["10.65.0.0/26": "n3"])] }
    try await cluster.affinity("n2", blockA, nil)
    await probe.wait { $0.faults.isEmpty }
  }

  @Test("R-4: an affinity to no block says nothing")
  func affinityAlone() async throws {
    try await cluster.affinity("n2", blockA)
    try await cluster.claim(blockB, "n2")
    #expect(await probe().wait { $0.snapshots == 1 }.topology.claims == [blockB: Claim(["10.65.0.64/26": "n2"])])
  }

  @Test("a block of nobody, of a stand-in, of one address, or marked as deleted, says what section 1.3 has it say")
  func specialBlocks() async throws {
    let (single, gone, virtual) = (CIDR.text("10.66.0.1/32"), CIDR.text("10.66.1.0/26"), CIDR.text("10.66.2.0/26"))
    try await cluster.block(blockA, of: nil, [3: "n2", 4: "", 5: ""])
    try await cluster.claim(single, "n2", [0: "n3"])
    var block = Cluster.block(gone, of: "n2")
    block.isDeleted = true
    try await cluster.put(.block(gone), .block(block))
    try await cluster.affinity("n2", gone)
    let services = IPAMBlock(cidr: virtual, owner: .loadBalancer, time: Timestamp(seconds: 1))
    try await cluster.put(.block(virtual), .block(services))
    try await cluster.put(.affinity(.loadBalancer, virtual), .affinity(BlockAffinity(.confirmed)))
    let probe = probe()
    let told = await probe.wait { $0.snapshots == 1 }
    #expect(
      told.topology.claims == [
        blockA: Claim(["10.65.0.3/32": "n2"]), single: Claim(["10.66.0.1/32": "n3"]),
        virtual: Claim(["10.66.2.0/26": "virtual:load-balancer"]),
      ])
    #expect(told.faults.keys.sorted() == ["block 10.65.0.0/26"])
    // Nobody's block is watched by name, for no affinity tells of it.
    try await cluster.put(.block(blockA), nil)
    await probe.wait { $0.topology.claims[blockA] == nil }
  }

  @Test("addresses borrowed from this node's blocks are told of at once, those from others' by the next listing")
  func borrowing() async throws {
    try await cluster.claim(blockA, "self")
    try await cluster.claim(blockB, "n2")
    let gate = Gate()
    let probe = probe {
      $0.listingInterval = .seconds(300)
      $0.sleep = { duration in
        #expect((Duration.seconds(239)...Duration.seconds(360)).contains(duration))
        try await gate.pass()
      }
    }
    await probe.wait { $0.snapshots == 1 }
    try await cluster.block(blockB, of: "n2", [1: "n2", 2: "n3"])
    try await cluster.block(blockA, of: "self", [7: "n2"])
    let told = await probe.wait { $0.topology.claims[blockA]?.owners.count == 2 }
    #expect(told.topology.claims[blockA] == Claim(["10.65.0.0/26": "self", "10.65.0.7/32": "n2"]))
    #expect(told.topology.claims[blockB] == Claim(["10.65.0.64/26": "n2"]))
    gate.open()
    await probe.wait { $0.topology.claims[blockB] == Claim(["10.65.0.64/26": "n2", "10.65.0.66/32": "n3"]) }
  }

  @Test("refresh() brings a snapshot made from a fresh listing")
  func refresh() async throws {
    try await cluster.claim(blockB, "n2")
    var options = RouteSourceOptions()
    options.listingInterval = nil
    let source = DatastoreRouteSource(cluster.store, nodeName: "self", options: options)
    let probe = SourceProbe(source)
    await probe.wait { $0.snapshots == 1 }
    try await cluster.block(blockB, of: "n2", [2: "n3"])
    source.refresh()
    let told = await probe.wait { $0.snapshots == 2 }
    #expect(told.topology.claims[blockB]?.owners[.text("10.65.0.66/32")] == "n3")
    // And the watch goes on behind it.
    try await cluster.claim(blockC, "n3")
    await probe.wait { $0.topology.claims[blockC] != nil }
  }

  @Test("a source ends when it is cancelled, and when nobody listens")
  func ends() async throws {
    let first = probe()
    await first.wait { $0.snapshots == 1 }
    await first.stop()
    let second = probe()
    await second.wait { $0.snapshots == 1 }
    second.listenNoMore()
    try await cluster.claim(blockA, "n2")
    await second.ended()
  }
}

/// Lets nobody pass until it is opened, and then everybody once.
final class Gate: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream(of: Void.self) }

  func open() { continuation.yield() }

  func pass() async throws {
    for await _ in stream { return }
    throw CancellationError()
  }
}
