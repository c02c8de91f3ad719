import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import CalicoPlugin

@Suite("Lists that may lag")
struct LaggingListTests {
  /// A host, with four addresses a block, whose store answers lists sooner that may lag.
  private func world() async throws -> ClusterWorld {
    let world = try ClusterWorld()
    world.connection.waitsForLists = true
    try await world.createNode("n1")
    try await world.createPool("p", "10.65.0.0/16", blockSize: 30)
    return world
  }

  private func blocks(_ world: ClusterWorld) -> Int { world.entries("/assignment/ipv4/block/").count }

  @Test("an address from a block with room waits for no list, and is one read and one commit")
  func warm() async throws {
    let world = try await world()
    try await world.add("first")
    #expect(world.store.take().latestLists > 0)
    try await world.add("second")
    let trips = world.store.take()
    #expect(trips.latestLists == 0)
    #expect(trips.reads == 1)
    #expect(trips.commits == 1)
  }

  @Test("after a block's last address the latest lists are asked at once, and after a release of one no longer")
  func fullBlock() async throws {
    let world = try await world()
    for container in ["a", "b", "c", "d"] { try await world.add(container) }
    _ = world.store.take()
    try await world.add("e")
    let claim = world.store.take()
    #expect(claim.latestLists > 0)
    // As they are, what comes next, and what that turned out to need: as without any lag.
    #expect(claim.reads == 3)
    #expect(blocks(world) == 2)
    try await world.call("DEL", "a")
    _ = world.store.take()
    try await world.add("f")
    #expect(world.store.take().latestLists == 0)
    #expect(blocks(world) == 2)
  }

  @Test("a block that a list does not name yet is not claimed a second time")
  func newBlock() async throws {
    let world = try await world()
    world.store.lag()
    let first = try await world.add("first")
    let second = try await world.add("second")
    #expect(first != second)
    #expect(blocks(world) == 1)
  }

  @Test("a block that another has by now is left to it, whatever a list says")
  func lostBlock() async throws {
    let world = try await world()
    try await world.add("first")
    world.store.lag()
    let path = try #require(world.entries("/assignment/ipv4/block/").first)
    let affinity = try #require(world.entries("/host/n1/ipv4/block/").first)
    guard case .block(let cidr)? = KeyPath.key(of: path) else { throw CancellationError() }
    var block = IPAMBlock(cidr: cidr, owner: BlockOwner(.host, "n2"), time: Timestamp(seconds: 1))
    _ = block.assign(ordinal: 0, attribute: AllocationAttribute(handleID: "other", owner: ["node": "n2"]))
    world.store.base.load([path: block.encoded()])
    world.store.base.put(nil, at: affinity)
    let second = try await world.add("second")
    let address = try #require(second.first.flatMap { CIDR($0) })
    #expect(!cidr.contains(address.address))
    #expect(blocks(world) == 2)
  }

  @Test("a pool that a list does not name yet can be asked for")
  func newPool() async throws {
    let world = try await world()
    try await world.add("first")
    world.store.lag()
    try await world.createPool("q", "10.66.0.0/16", blockSize: 30)
    world.ipam = #""ipv4_pools":["q"],"#
    #expect(try await world.add("second").first?.hasPrefix("10.66.") == true)
  }

  @Test("that there are no pools is said only when there are none now")
  func refusal() async throws {
    let world = try await world()
    let pool = KeyPath.path(of: .resource(.ipPool, "p"))
    try await world.add("first")
    world.store.base.put(nil, at: pool)
    world.store.lag()
    try await world.createPool("p", "10.65.0.0/16", blockSize: 30)
    try await world.add("second")
    world.store.base.put(nil, at: pool)
    world.store.lag()
    #expect(try await world.call("ADD", "third").status != 0)
  }

  @Test("a pool of which the driver finds that it has changed is read again, and gives nothing if it is disabled")
  func disabledPool() async throws {
    let world = try await world()
    try await world.add("first")
    world.store.lag()
    let pool = KeyPath.path(of: .resource(.ipPool, "p"))
    let text = #"{"metadata":{"name":"p"},"spec":{"cidr":"10.65.0.0/16","blockSize":30,"disabled":true}}"#
    world.store.base.load([pool: Array(text.utf8)])
    world.store.refuseCommit(for: .resource(.ipPool, "p"))
    let before = world.store.base.dump()
    let answer = try await world.call("ADD", "second")
    #expect(try answer.message == "cannot find a qualified ippool")
    #expect(world.store.base.dump() == before)
  }

  @Test("a block that nobody can read is told of, as by the latest lists")
  func unreadableBlock() async throws {
    let world = try await world()
    try await world.add("first")
    let path = try #require(world.entries("/assignment/ipv4/block/").first)
    world.store.base.load([path: Array("{".utf8)])
    let answer = try await world.call("ADD", "second")
    #expect(answer.status != 0)
    #expect(try answer.message.contains("failed to parse datastore entry BlockKey"))
  }
}
