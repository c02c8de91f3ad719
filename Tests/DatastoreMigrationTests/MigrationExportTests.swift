import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

@testable import DatastoreMigration

@Suite("Exporting a datastore")
struct MigrationExportTests {
  private let world: MigrationWorld
  private let nodes = "/calico/resources/v3/projectcalico.org/nodes/"

  init() throws { world = try MigrationWorld() }

  private func failure() async -> MigrationError? {
    await #expect(throws: MigrationError.self) { try await world.export() }
  }

  private func entry(_ key: Key) async throws -> String {
    let entry = try #require(try await world.export().entries.first { $0.key == key })
    return String(decoding: entry.text, as: UTF8.self)
  }

  @Test("demands the lock; a datastore that says nothing is not locked")
  func lock() async throws {
    let lock = MigrationLock(world.source, surroundings: MigrationWorld.surroundings)
    #expect(try await lock.isHeld())
    try await lock.unlock()
    #expect(try await !lock.isHeld())
    #expect(
      await failure()?.description
        == "datastore is not locked. Run the `ipamctl datastore migrate lock` command in order to begin migration")
    try await lock.lock()
    #expect(try await lock.isHeld())
    let path = "/calico/resources/v3/projectcalico.org/clusterinformations/default"
    world.source.put(Array(#"{"kind":"ClusterInformation","spec":{}}"#.utf8), at: path)
    #expect(await failure()?.code == .unlocked)
  }

  @Test("locking an empty datastore makes its ClusterInformation first")
  func lockEmpty() async throws {
    let store = InMemoryDatastore()
    let lock = MigrationLock(store, surroundings: MigrationWorld.surroundings)
    #expect(try await !lock.isHeld())
    try await lock.lock()
    #expect(try await lock.isHeld())
    let text = try #require(store.text("/calico/resources/v3/projectcalico.org/clusterinformations/default"))
    #expect(text.contains(#""clusterGUID":"11111111222243338444555555555555","datastoreReady":false"#))
  }

  @Test("renames nodes to what Kubernetes calls them, wherever they are named, IPv6 tunnels included")
  func renaming() async throws {
    let v4 = try #require(CIDR("10.0.0.0/30"))
    let v6 = try #require(CIDR("fd00::/126"))
    let block = try await entry(.block(v4))
    #expect(block.contains(#""affinity":"host:kube-a""#))
    #expect(block.contains(#"{"handle_id":"vxlan-tunnel-addr-kube-a","secondary":{"node":"kube-a","#))
    #expect(block.contains(#""secondary":{"node":"node-b","pod":"web"},"alternateOwnerAttrs":{"node":"kube-a"}"#))
    #expect(try await entry(.block(v6)).contains(#""handle_id":"vxlan-v6-tunnel-addr-kube-a""#))
    let document = try await world.export()
    let keys = Set(document.entries.map(\.key))
    #expect(keys.isSuperset(of: [.handle("vxlan-tunnel-addr-kube-a"), .handle("vxlan-v6-tunnel-addr-kube-a")]))
    #expect(keys.contains(.affinity(BlockOwner(.host, "kube-a"), v6)))
    #expect(!keys.contains { "\($0)".contains("old-a") })
    #expect(document.resources.filter { $0.kind == .node }.map(\.name).sorted() == ["kube-a", "node-b"])
  }

  @Test("keeps the names where there is no Kubernetes, and demands a reference of all where there is")
  func references() async throws {
    world.source.put(Array(#"{"kind":"Node","spec":{}}"#.utf8), at: nodes + "node-b")
    #expect(
      await failure()?.description.hasPrefix(
        "node node-b missing a 'k8s' orchestrator reference. Unable to export data unless every node") == true)
    world.source.put(Array(#"{"kind":"Node","spec":{}}"#.utf8), at: nodes + "old-a")
    let document = try await world.export()
    #expect(document.resources.filter { $0.kind == .node }.map(\.name).sorted() == ["node-b", "old-a"])
    #expect(document.entries.contains { $0.key == .handle("vxlan-tunnel-addr-old-a") })
  }

  @Test("refuses two nodes with one name in Kubernetes, and two handles that would become one")
  func collisions() async throws {
    world.source.put(
      Array(#"{"block":{},"deleted":false}"#.utf8), at: "/calico/ipam/v2/handle/vxlan-tunnel-addr-kube-a")
    #expect(
      await failure()?.description.contains("there would be two of IPAMHandleKey(id=vxlan-tunnel-addr-kube-a)") == true)
    let reference = #"{"kind":"Node","spec":{"orchRefs":[{"nodeName":"kube-a","orchestrator":"k8s"}]}}"#
    world.source.put(Array(reference.utf8), at: nodes + "node-b")
    #expect(await failure()?.description.contains("both have a 'k8s' orchestrator reference to kube-a") == true)
  }

  @Test("names what cannot be understood, and gives nothing out")
  func malformed() async throws {
    world.source.put(Array("{".utf8), at: "/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-30")
    let error = await failure()
    #expect(error?.code == .unreadable)
    #expect(error?.description.hasPrefix("BlockKey(cidr=10.0.0.0/30) cannot be understood") == true)
    #expect(error?.description.contains("repair or delete it") == true)
  }

  @Test("leaves out what is being deleted, and what belongs to the datastore alone")
  func leavings() async throws {
    world.source.put(Array(#"{"block":{"10.0.0.0/30":1},"deleted":true}"#.utf8), at: "/calico/ipam/v2/handle/pod.1")
    let document = try await world.export()
    #expect(!document.entries.contains { $0.key == .handle("pod.1") })
    for resource in document.resources {
      #expect(resource.uid == nil && resource.creationTimestamp == nil && resource.resourceVersion == nil)
    }
  }

  @Test("fails when something is written while it reads")
  func changes() async throws {
    let source = world.source
    let path = "/calico/ipam/v2/handle/pod.1"
    let store = InterruptedDatastore(base: source) { read in
      guard case .list(let listing) = read, listing.scope == .handles else { return }
      source.put(source.dump()[path], at: path)
    }
    let error = await #expect(throws: MigrationError.self) {
      try await MigrationExport(store, lock: MigrationLock(store, surroundings: MigrationWorld.surroundings)).document()
    }
    #expect(error?.description.hasPrefix("IPAMHandleKey(id=pod.1) was changed while the datastore was read") == true)
  }
}

/// A store in which something happens before a read.
struct InterruptedDatastore: Datastore {
  let base: any Datastore
  let before: @Sendable (Read) -> Void

  var commitsAtomically: Bool { base.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    for read in reads { before(read) }
    return try await base.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try await base.commit(plan, deadline: deadline)
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream { base.watch(interest, from: cursor) }
}
