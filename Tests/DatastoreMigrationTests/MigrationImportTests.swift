import CalicoModel
import Datastore
import Foundation
import IPAddressing
import JSON
import SQLiteDatastore
import Testing

@testable import DatastoreMigration

@Suite("Importing into another datastore")
struct MigrationImportTests {
  private let world: MigrationWorld
  private let handlePath = "/calico/ipam/v2/handle/pod.1"

  init() throws { world = try MigrationWorld() }

  private func failure(
    _ store: any Datastore, isKubernetes: Bool = false, _ document: MigrationDocument
  ) async -> MigrationError? {
    await #expect(throws: MigrationError.self) {
      try await MigrationWorld.run(document, into: store, isKubernetes: isKubernetes)
    }
  }

  /// The same entries, and the same resources but for the tiers that every store has.
  private func expectSame(_ left: MigrationDocument, _ right: MigrationDocument) throws {
    #expect(left.entries.map(\.key) == right.entries.map(\.key))
    for (one, other) in zip(left.entries, right.entries) { #expect(try one.value().means(other.value()), "\(one.key)") }
    let resources = [left, right].map { document in
      let moved = document.resources.filter { $0.kind != .tier }
      return Dictionary(uniqueKeysWithValues: moved.map { ($0.key, JSON.object($0.arrangedDocument)) })
    }
    #expect(resources[0] == resources[1])
    #expect(try left.summary() == right.summary())
  }

  // MARK: What is written

  @Test("writes everything, locks, and compares at last", arguments: [true, false])
  func everything(_ commitsAtomically: Bool) async throws {
    let document = try await world.export()
    let store = InMemoryDatastore(commitsAtomically: commitsAtomically)
    let report = try await MigrationWorld.run(document, into: store)
    // One of the tiers is made when the store is initialised.
    #expect(report.resources == 5)
    #expect(report.present == 1)
    #expect(report.entries == 9)
    #expect(report.summary == (try document.summary()))
    let lock = MigrationLock(store, surroundings: MigrationWorld.surroundings)
    #expect(try await lock.isHeld())
    try expectSame(try await MigrationExport(store, lock: lock).document(), document)
  }

  @Test("keeps the cluster's identity and version")
  func clusterInformation() async throws {
    let store = InMemoryDatastore()
    try await MigrationWorld.run(try await world.export(), into: store)
    let text = store.text("/calico/resources/v3/projectcalico.org/clusterinformations/default")
    #expect(text?.contains(#""clusterGUID":"0123","calicoVersion":"v3.30.0","datastoreReady":false"#) == true)
  }

  @Test("goes to the embedded datastore and back without a difference")
  func embedded() async throws {
    let directory = NSTemporaryDirectory() + "migration-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let document = try await world.export()
    let database = SQLiteDatastore(path: directory + "/ipam.db")
    #expect(try await MigrationWorld.run(document, into: database).summary == document.summary())
    let lock = MigrationLock(database, surroundings: MigrationWorld.surroundings)
    let back = try await MigrationExport(database, lock: lock).document()
    try expectSame(back, document)
    let store = InMemoryDatastore()
    #expect(try await MigrationWorld.run(back, into: store).summary == document.summary())
  }

  @Test("moves hundreds of blocks in batches")
  func many() async throws {
    for index in 0..<300 {
      let cidr = "10.1.\(index / 64).\(index % 64 * 4)"
      world.source.put(
        Array(
          MigrationWorld.block(
            cidr + "/30", "host:node-b", ["0", "null", "null", "null"], [1, 2, 3], [#"{"handle_id":"h\#(index)"}"#],
            numbers: #""0":1"#
          ).utf8), at: "/calico/ipam/v2/assignment/ipv4/block/\(cidr)-30")
    }
    let document = try await world.export()
    let report = try await MigrationWorld.run(document, into: InMemoryDatastore())
    #expect(report.summary.blocks == 302)
    #expect(report.summary.allocations == 303)
  }

  // MARK: Going on

  @Test("goes on after it was cut off at any write, and writes nothing twice", arguments: [true, false])
  func resumption(_ commitsAtomically: Bool) async throws {
    let document = try await world.export()
    for limit in stride(from: 1, to: 30, by: 3) {
      let store = InMemoryDatastore(commitsAtomically: commitsAtomically)
      let counter = Counter(limit)
      store.injectFaults { _ in counter.count() ? .proceed : .unavailable }
      do {
        try await MigrationWorld.run(document, into: store)
      } catch let error as MigrationError {
        #expect(error.code == .datastore, "\(error)")
      }
      store.injectFaults(nil)
      let before = store.dump()
      let report = try await MigrationWorld.run(document, into: store)
      #expect(report.summary == (try document.summary()))
      for (path, bytes) in before where !path.contains("clusterinformations") {
        #expect(store.dump()[path] == bytes, "\(path) was written again")
      }
    }
  }

  @Test("a second import of the same file changes nothing")
  func idempotence() async throws {
    let document = try await world.export()
    let store = InMemoryDatastore()
    try await MigrationWorld.run(document, into: store)
    let before = store.dump()
    let report = try await MigrationWorld.run(document, into: store)
    #expect(report.resources == 0 && report.entries == 0)
    #expect(report.present == 15)
    #expect(store.dump() == before)
  }

  @Test("finds out what became of writes whose answer was lost", arguments: [true, false])
  func lostAnswers(_ commitsAtomically: Bool) async throws {
    let document = try await world.export()
    let store = InMemoryDatastore(commitsAtomically: commitsAtomically)
    let counter = Counter(1)
    store.injectFaults { write in
      // Every third write of an entry is made, and nobody is told.
      if case .resource = write.key { return .proceed }
      return counter.next() % 3 == 0 ? .answerLost : .proceed
    }
    #expect(try await MigrationWorld.run(document, into: store).summary == document.summary())
  }

  // MARK: What is refused

  @Test("a datastore with data of somebody else is left as it is")
  func foreignData() async throws {
    let document = try await world.export()
    let pools = "/calico/resources/v3/projectcalico.org/ippools/"
    let cases = [
      (pools + "other", #"{"kind":"IPPool","spec":{"cidr":"10.9.0.0/16"}}"#, "found existing Calico IPPool resource"),
      ("/calico/ipam/v2/handle/other", #"{"block":{},"deleted":false}"#, "found existing IPAM resources"),
    ]
    for (path, text, message) in cases {
      let store = InMemoryDatastore()
      store.put(Array(text.utf8), at: path)
      let error = await failure(store, document)
      #expect(error?.code == .occupied)
      #expect(error?.description.hasPrefix("datastore already has Calico resources: \(message)") == true)
      #expect(Array(store.dump().keys) == [path])
    }
  }

  @Test("what is there and says something else is named, and nothing is written")
  func differences() async throws {
    let document = try await world.export()
    let store = InMemoryDatastore()
    store.put(Array(#"{"block":{"10.0.0.0/30":2},"deleted":false}"#.utf8), at: handlePath)
    let pool = "/calico/resources/v3/projectcalico.org/ippools/four"
    store.put(Array(#"{"kind":"IPPool","metadata":{"name":"four"},"spec":{"cidr":"10.0.0.0/16"}}"#.utf8), at: pool)
    let error = await failure(store, document)
    #expect(
      error?.description.hasPrefix(
        "datastore already has Calico resources that say something else than the file: IPPool(four) (spec, "
          + "metadata.labels), IPAMHandleKey(id=pod.1). Nothing was written") == true)
    #expect(Set(store.dump().keys) == [handlePath, pool])
  }

  @Test("nodes that have joined and tiers that every cluster has are nobody's data")
  func harmless() async throws {
    let store = InMemoryDatastore()
    let resources = "/calico/resources/v3/projectcalico.org/"
    store.put(Array(#"{"kind":"Node","spec":{}}"#.utf8), at: resources + "nodes/new")
    store.put(Array(#"{"kind":"Tier","spec":{"order":1}}"#.utf8), at: resources + "tiers/kube-admin")
    try await MigrationWorld.run(try await world.export(), into: store)
    #expect(store.text(resources + "nodes/new") == #"{"kind":"Node","spec":{}}"#)
  }

  @Test("a file that is not as it was written is refused before anything is")
  func truncation() async throws {
    let text = String(decoding: try await world.export().text(), as: UTF8.self)
    let damaged = text.replacing(#""web""#, with: #""wob""#)
    let document = try MigrationDocument(parsing: Array(damaged.utf8), name: "f")
    let store = InMemoryDatastore()
    let error = await #expect(throws: MigrationError.self) {
      try await MigrationImport(
        document, into: store, isKubernetes: false, surroundings: MigrationWorld.surroundings
      ).run()
    }
    #expect(error?.description.hasPrefix("the file is not as it was written") == true)
    #expect(store.dump().isEmpty)
  }

  @Test("somebody who writes meanwhile is found out")
  func interference() async throws {
    let store = InMemoryDatastore()
    let path = handlePath
    store.injectFaults { write in
      if case .block = write.key {
        store.injectFaults(nil)
        store.put(Array(#"{"block":{"10.0.0.0/30":9},"deleted":false}"#.utf8), at: path)
      }
      return .proceed
    }
    let error = await failure(store, try await world.export())
    #expect(error?.code == .occupied)
    #expect(error?.description.contains("somebody else has written IPAMHandleKey(id=pod.1) meanwhile") == true)
  }

  // MARK: Kubernetes

  @Test("in Kubernetes nodes are completed, and those that are not there are skipped with calicoctl's words")
  func kubernetesNodes() async throws {
    let store = InMemoryDatastore(commitsAtomically: false)
    let path = "/calico/resources/v3/projectcalico.org/nodes/kube-a"
    store.put(
      Array(#"{"kind":"Node","metadata":{"name":"kube-a"},"spec":{"addresses":[{"address":"192.0.2.1"}]}}"#.utf8),
      at: path)
    let events = Events()
    try await MigrationWorld.run(try await world.export(), into: store, isKubernetes: true, events: events)
    let node = try #require(store.text(path))
    #expect(node.contains(#""ipv4VXLANTunnelAddr":"10.0.0.1""#))
    #expect(node.contains(#""addresses":[{"address":"192.0.2.1"}]"#))
    #expect(!node.contains("orchRefs"))
    #expect(store.text("/calico/resources/v3/projectcalico.org/nodes/node-b") == nil)
    #expect(events.warnings.count == 1)
    #expect(
      events.warnings.first?.hasPrefix(
        "[WARNING] Attempted to import node node-b that references a nonexistent Kubernetes node.") == true)
  }

  @Test("a Node of Kubernetes that says something else is not overwritten")
  func kubernetesContradiction() async throws {
    let store = InMemoryDatastore(commitsAtomically: false)
    store.put(
      Array(#"{"kind":"Node","spec":{"ipv4VXLANTunnelAddr":"10.0.0.2"}}"#.utf8),
      at: "/calico/resources/v3/projectcalico.org/nodes/kube-a")
    let error = await failure(store, isKubernetes: true, try await world.export())
    #expect(error?.description.contains("Node(kube-a) (spec.ipv4VXLANTunnelAddr)") == true)
  }

  @Test("handles that Kubernetes cannot store are refused before anything is written")
  func kubernetesNames() async throws {
    let cases = [
      (["Pod.1"], "handles 'pod.1' and 'Pod.1' differ in case alone"), (["a_b"], "handle 'a_b' is no name"),
      ([String(repeating: "a", count: 254)], "is no name"), (["-a"], "handle '-a' is no name"),
    ]
    for (handles, message) in cases {
      var document = try await world.export()
      document.entries += handles.map { MigrationEntry(.handle($0), Array(#"{"block":{}}"#.utf8)) }
      document.entries.sort { "\($0.key)" > "\($1.key)" }
      let store = InMemoryDatastore(commitsAtomically: false)
      let error = await failure(store, isKubernetes: true, document)
      #expect(error?.code == .unsuitable)
      #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
      #expect(store.dump().isEmpty)
    }
  }

  @Test("what else calicoctl has in its file is named as not imported")
  func otherKinds() async throws {
    var document = try await world.export()
    document.otherKinds = ["BGPPeer": 2]
    let events = Events()
    _ = try await MigrationImport(
      document, into: InMemoryDatastore(), isKubernetes: false, surroundings: MigrationWorld.surroundings,
      tell: { events.add($0) }
    ).run()
    #expect(
      events.warnings == [
        "2 BGPPeer in the file are none of address management and not imported; calicoctl imports it"
      ])
  }
}
