import CalicoModel
import Datastore
import Testing

@Suite("GC while others release the same addresses")
struct CollectionTests {
  /// A read of GC before which another process releases, and how long addresses cool down.
  static let moments = (0..<8).flatMap { read in [0, 60].map { (read, $0) } }

  @Test("A release by another process at any moment is as good as GC's own", arguments: moments)
  func rival(read: Int, cooldown: Int) async throws {
    let world = try ClusterWorld()
    try await world.createNode("n1")
    try await world.createPool("p", "10.65.0.0/16", blockSize: 26)
    var configuration = IPAMConfiguration()
    configuration.cooldownSeconds = cooldown
    world.store.base.put(configuration.encoded(), at: KeyPath.path(of: .configuration))
    try await world.add("other")
    try await world.add("first")
    let before = world.store.base.dump()
    try #require(try await world.call("DEL", "first").status == 0)
    let after = world.store.base.dump()
    // As it was, for GC to find; and at the moment as another process leaves it.
    for path in Set(before.keys).union(after.keys) { world.store.base.put(before[path], at: path) }
    let store = world.store
    _ = store.take()
    store.interruptReads { number in
      guard number == read else { return }
      for path in Set(before.keys).union(after.keys) where before[path] != after[path] {
        store.base.put(after[path], at: path)
      }
    }
    world.members = #""cni.dev/valid-attachments":[{"containerID":"other","ifname":"eth0"}],"#
    let answer = try await world.call("GC")
    #expect(answer.status == 0, "\(answer.text)")
    #expect(world.entries("handle/").map { $0.hasSuffix("pods.other") } == [true])
  }

  @Test("GC releases addresses of a pool that was disabled meanwhile")
  func disabledPool() async throws {
    let world = try ClusterWorld()
    try await world.createNode("n1")
    try await world.createPool("p", "10.65.0.0/16", blockSize: 26)
    try await world.add("first")
    let path = KeyPath.path(of: .resource(.ipPool, "p"))
    world.store.base.put(nil, at: path)
    try await world.createPool("p", "10.65.0.0/16", blockSize: 26, #","disabled":true"#)
    world.members = #""cni.dev/valid-attachments":[],"#
    let answer = try await world.call("GC")
    #expect(answer.status == 0, "\(answer.text)")
    #expect(world.entries("handle/").isEmpty)
  }
}
