import CalicoModel
import Datastore
import Glibc
import IPAddressing
import RouteSources
import Routing
import SQLiteDatastore
import Testing

@Suite("What is read of a datastore")
struct BlockSourceCostTests {
  private func probe(_ store: CountingStore, listing: Duration? = nil) -> SourceProbe {
    var options = RouteSourceOptions()
    options.listingInterval = listing
    return SourceProbe(DatastoreRouteSource(store, nodeName: "self", options: options))
  }

  /// 1,000 addresses given out in 25 blocks of other nodes, each with its handle, one commit each.
  private func addThousand(_ cluster: Cluster) async throws {
    for number in 0..<1000 {
      let cidr = CIDR.text("10.66.\(number % 25).0/26")
      let block = Cluster.block(cidr, of: "n\(number % 25)", [number / 25: "n\(number % 25)"])
      let handle = Value.handle(IPAMHandle([cidr: 1]))
      _ = try await cluster.store.commit(
        Plan([
          Change(.block(cidr), base: .any, final: .value(.block(block))),
          Change(.handle("h\(number)"), base: .any, final: .value(handle)),
        ]), deadline: .after(milliseconds: 20_000))
    }
  }

  private func check(_ base: any Datastore) async throws {
    let cluster = Cluster(base)
    for number in 0..<25 { try await cluster.claim(.text("10.66.\(number).0/26"), "n\(number)") }
    try await cluster.claim(blockA, "self")
    let store = CountingStore(base)
    let probe = probe(store)
    await probe.wait { $0.topology.claims.count == 26 }
    // The watch of this node's own block has begun.
    try await cluster.block(blockA, of: "self", [1: "n2"])
    await probe.wait { $0.topology.claims[blockA]?.owners.count == 2 }
    let before = store.bytes
    try await addThousand(cluster)
    // What is told of this has passed over all that was written before.
    try await cluster.node("last", "")
    let told = await probe.wait { $0.topology.nodes["last"] != nil }
    let path = KeyPath.path(of: .resource(.node, "last"))
    #expect(
      store.bytes - before == path.utf8.count + #"{"kind":"Node","metadata":{"name":"last"},"spec":{}}"#.utf8.count)
    #expect(told.snapshots == 1)
  }

  @Test("1,000 remote ADDs into blocks already routed cost 0 bytes, in memory")
  func remoteInMemory() async throws { try await check(InMemoryDatastore(changeLogCapacity: 8192)) }

  @Test("1,000 remote ADDs into blocks already routed cost 0 bytes, in SQLite")
  func remoteInSQLite() async throws {
    let directory = try TemporaryDirectory()
    let options = SQLiteDatastore.Options(watchInterval: .milliseconds(20))
    // Two connections, as the agent and the plugins have them.
    _ = try await Cluster(SQLiteDatastore(path: directory.path + "/ipam.db")).node("first", "")
    try await check(SQLiteDatastore(path: directory.path + "/ipam.db", options: options))
  }

  @Test("a claim by another node costs one read of its block")
  func claim() async throws {
    let memory = InMemoryDatastore()
    let store = CountingStore(memory)
    let probe = probe(store)
    await probe.wait { $0.snapshots == 1 }
    _ = store.takePaths()
    try await Cluster(memory).claim(blockA, "n2", [3: "n2"])
    await probe.wait { !$0.topology.claims.isEmpty }
    #expect(
      store.takePaths() == [
        "/calico/ipam/v2/host/n2/ipv4/block/10.65.0.0-26", "/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-26",
      ])
  }

  @Test("under strict affinity only this node's blocks are read, and those of which affinities leave doubt")
  func strict() async throws {
    let memory = InMemoryDatastore()
    let cluster = Cluster(memory)
    try await cluster.strictAffinity(true)
    try await cluster.claim(blockA, "self")
    try await cluster.claim(blockB, "n2", [1: "n2"])
    try await cluster.block(blockC, of: nil, [0: "n3"])
    let doubtful = CIDR.text("10.65.1.0/26")
    try await cluster.block(doubtful, of: "n3")
    try await cluster.affinity("n3", doubtful, .pending)
    let absent = CIDR.text("10.65.1.64/26")
    try await cluster.affinity("n3", absent)
    let store = CountingStore(memory)
    let probe = probe(store, listing: .milliseconds(1))
    let told = await probe.wait { $0.snapshots == 1 }
    #expect(
      told.topology.claims == [
        blockA: Claim(["10.65.0.0/26": "self"]), blockB: Claim(["10.65.0.64/26": "n2"]),
        blockC: Claim(["10.65.0.128/32": "n3"]), doubtful: Claim(["10.65.1.0/26": "n3"]),
      ])
    // Not by the slow listing either, which is due all the time.
    try await cluster.block(blockB, of: "n2", [1: "n2", 2: "n2"])
    try await cluster.node("last", "")
    await probe.wait { $0.topology.nodes["last"] != nil }
    try await Task.sleep(for: .milliseconds(50))
    await probe.stop()
    let values = await Self.valuesRead(of: blockB, store)
    #expect(values == 0)
  }

  /// How often a block was read with its value: its key alone is listed once.
  private static func valuesRead(of block: CIDR, _ store: CountingStore) async -> Int {
    store.takePaths().filter { $0 == KeyPath.path(of: .block(block)) }.count - 1
  }

  @Test("when strict affinity ends, borrowed addresses are looked for")
  func strictEnds() async throws {
    let cluster = Cluster()
    try await cluster.strictAffinity(true)
    try await cluster.claim(blockB, "n2", [1: "n2", 4: "n3"])
    let store = CountingStore(cluster.store)
    let probe = probe(store)
    #expect(await probe.wait { $0.snapshots == 1 }.topology.claims == [blockB: Claim(["10.65.0.64/26": "n2"])])
    try await cluster.strictAffinity(false)
    await probe.wait { $0.topology.claims[blockB] == Claim(["10.65.0.64/26": "n2", "10.65.0.68/32": "n3"]) }
  }
}

/// A directory that goes with the test.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/route-sources-test.XXXXXX".utf8CString)
    path = String(cString: try #require(mkdtemp(&template)))
  }

  deinit {
    guard let stream = opendir(path) else { return }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    closedir(stream)
    for name in names { unlink(path + "/" + name) }
    rmdir(path)
  }
}
