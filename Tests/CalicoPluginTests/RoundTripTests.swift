import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import CalicoEngine

@Suite("Round trips to a datastore that hosts share")
struct RoundTripTests {
  /// A host whose block has room for 60 addresses more.
  private func warmWorld() async throws -> ClusterWorld {
    let world = try ClusterWorld()
    try await world.createNode("n1")
    try await world.createPool("p", "10.65.0.0/16", blockSize: 26)
    try await world.add("first")
    _ = world.store.take()
    return world
  }

  @Test("An ADD into a block of the node with room is one read and one commit")
  func warm() async throws {
    let world = try await warmWorld()
    try await world.add("second")
    let trips = world.store.take()
    #expect(trips.reads == 1)
    #expect(trips.commits == 1)
  }

  @Test("Pools that are named cost no round trip more, nor do both families")
  func namedPools() async throws {
    let world = try await warmWorld()
    try await world.createPool("six", "fd00:65::/64", blockSize: 122)
    world.ipam = #""ipv4_pools":["p"],"ipv6_pools":["six"],"assign_ipv6":"true","#
    try await world.add("dual")
    _ = world.store.take()
    #expect(try await world.add("second").count == 2)
    let trips = world.store.take()
    #expect(trips.reads == 1)
    #expect(trips.commits == 1)
  }

  @Test("An address that is asked for is one read and one commit")
  func requested() async throws {
    let world = try await warmWorld()
    world.arguments = "IP=10.65.3.7"
    #expect(try await world.add("second") == ["10.65.3.7/32"])
    let trips = world.store.take()
    #expect(trips.reads == 1)
    #expect(trips.commits == 1)
  }

  @Test("A DEL from the node's usual block is one read and one commit, and one of nothing is one read")
  func release() async throws {
    let world = try await warmWorld()
    try await world.add("second")
    _ = world.store.take()
    #expect(try await world.call("DEL", "second").status == 0)
    let trips = world.store.take()
    #expect(trips.reads == 1)
    #expect(trips.commits == 1)
    #expect(try await world.call("DEL", "second").status == 0)
    let nothing = world.store.take()
    #expect(nothing.reads == 1)
    #expect(nothing.commits == 0)
  }

  /// A pool in which another node has many blocks, and just those that this node would try first, all of them full.
  private func largeWorld(taken: Int, of prefix: Int, blockSize: Int = 30) async throws -> ClusterWorld {
    let world = try ClusterWorld()
    try await world.createNode("n1")
    try await world.createPool("p", "10.0.0.0/\(prefix)", blockSize: blockSize)
    let pool = try #require(CIDR("10.0.0.0/\(prefix)"))
    let order = try #require(BlockOrder(pool: pool, prefixLength: blockSize, start: BlockOrder.Start(host: "n1")))
    var walk = BlockWalk(order)
    var entries: [String: [UInt8]] = [:]
    for _ in 0..<taken {
      guard let cidr = walk.next(skipping: ReservedAddresses()) else { break }
      var block = IPAMBlock(cidr: cidr, owner: BlockOwner(.host, "other"), time: Timestamp(seconds: 1))
      // An owner for each address, as workloads are.
      for ordinal in 0..<block.size {
        let attribute = AllocationAttribute(
          handleID: "h\(ordinal)", owner: ["node": "other", "namespace": "default", "pod": "pod-\(ordinal)"])
        _ = block.assign(ordinal: ordinal, attribute: attribute)
      }
      entries[KeyPath.path(of: .block(cidr))] = block.encoded()
    }
    world.store.base.load(entries)
    return world
  }

  @Test("A block among ten thousand is claimed with a read, a probe, a list of keys and a commit, within 1.5 MB")
  func claim() async throws {
    let world = try await largeWorld(taken: 10_000, of: 16)
    try await world.add("first")
    let trips = world.store.take()
    #expect(trips.reads == 3)
    #expect(trips.commits == 1)
    #expect(trips.listings == 1)
    #expect(trips.bytes < 1_500_000)
    try await world.add("second")
    let warm = world.store.take()
    #expect(warm.reads == 1)
    #expect(warm.commits == 1)
  }

  @Test("Pools that were found full a moment ago are not listed again")
  func full() async throws {
    let world = try await largeWorld(taken: 1024, of: 20)
    let first = try await world.call("ADD", "first")
    #expect(try first.message.contains("No IPs available in pools: [10.0.0.0/20]"))
    #expect(world.store.take().listings >= 1)
    let second = try await world.call("ADD", "second")
    #expect(try second.message.contains("No IPs available in pools: [10.0.0.0/20]"))
    let trips = world.store.take()
    #expect(trips.listings == 0)
    #expect(trips.reads == 1)
    #expect(trips.commits == 0)
  }

  @Test("A search through 4096 full blocks takes 40 round trips, none of more than 1.5 MB")
  func fullAndLarge() async throws {
    let world = try await largeWorld(taken: 10_000, of: 20, blockSize: 32)
    #expect(world.entries("/block/").count == 4096)
    let small = try await world.call("ADD", "first")
    #expect(try small.message.contains("No IPs available in pools: [10.0.0.0/20]"))
    let trips = world.store.take()
    #expect(trips.reads < 45)
    #expect(trips.largest < 1_500_000)
  }

  @Test("Blocks that are large are read in batches of about a megabyte")
  func fullOfLargeBlocks() async throws {
    let world = try await largeWorld(taken: 10_000, of: 16, blockSize: 24)
    #expect(world.entries("/block/").count == 256)
    let answer = try await world.call("ADD", "first")
    #expect(try answer.message.contains("No IPs available in pools: [10.0.0.0/16]"))
    let trips = world.store.take()
    #expect(trips.bytes > 4_000_000)
    #expect(trips.largest < 1_500_000)
    #expect(trips.reads < 20)
  }

  @Test("GC releases what is this node's, and asks little about what is other nodes'")
  func collection() async throws {
    let world = try await warmWorld()
    try await world.createNode("n2")
    for index in 0..<100 {
      let answer = try await world.call("ADD", "c\(index)", node: "n2")
      try #require(answer.status == 0, "\(answer.text)")
    }
    _ = world.store.take()
    world.members = #""cni.dev/valid-attachments":[],"#
    #expect(try await world.call("GC").status == 0)
    #expect(world.store.take().reads < 12)
    #expect(world.entries("handle/").count == 100)
    #expect(!world.entries("handle/").contains { $0.hasSuffix("pods.first") })
  }

  @Test("A CHECK is one read, and so is a STATUS")
  func looks() async throws {
    let world = try await warmWorld()
    #expect(try await world.call("CHECK", "first").status == 0)
    #expect(world.store.take().reads == 1)
    #expect(try await world.call("STATUS").status == 0)
    #expect(world.store.take().reads == 1)
  }
}
