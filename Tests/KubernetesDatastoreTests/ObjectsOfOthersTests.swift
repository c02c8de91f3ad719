import CalicoModel
import Datastore
import IPAddressing
import JSON
import KubernetesClient
import TestSupport
import Testing

@testable import KubernetesDatastore

extension OnKubernetes {
  @Suite("Objects that others have written")
  struct ObjectsOfOthersTests {
    private static let deadline = Deadline.after(milliseconds: 600_000)
    private static let root = "/apis/crd.projectcalico.org/v1/"

    private static func withStore(
      _ body: (KubernetesDatastore, KubernetesClient, TestCluster) async throws -> Void
    ) async throws {
      let cluster = try TestCluster.first.get()
      let client = try cluster.client()
      try await cluster.empty(client)
      try await body(KubernetesDatastore(client), client, cluster)
      await client.close()
    }

    private static func entry(_ store: KubernetesDatastore, _ key: Key) async throws -> Stored? {
      guard case .entry(let stored) = try await store.read([.entry(key)], deadline: deadline)[0] else { return nil }
      return stored
    }

    @Test(
      "labels, annotations and owners of others are still there after a write, however the object was found",
      arguments: [false, true])
    func foreignMetadata(isListed: Bool) async throws {
      try await Self.withStore { store, client, cluster in
        let text =
          #"{"apiVersion":"crd.projectcalico.org/v1","kind":"IPAMHandle","metadata":{"name":"h","labels":{"team":"a"},"#
          + #""annotations":{"note":"b"},"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"n","uid":"u"}]},"#
          + #""spec":{"handleID":"h","block":{"10.65.0.0/26":1},"deleted":false}}"#
        try await cluster.send(client, .post, Self.root + "ipamhandles", text)
        var revision: Revision?
        if isListed {
          let lists = try await store.read([.list(Listing(.handles))], deadline: Self.deadline)
          guard case .list(let list) = lists[0] else { return }
          revision = list.items.first?.stored?.revision
        } else {
          revision = try await Self.entry(store, .handle("h"))?.revision
        }
        // Twice, because the second one goes by what the first one returned.
        for count in 2...3 {
          let value = IPAMHandle([try #require(CIDR("10.65.0.0/26")): count])
          let change = Change(.handle("h"), base: .revision(try #require(revision)), final: .value(.handle(value)))
          guard case .applied(let revisions) = try await store.commit(Plan([change]), deadline: Self.deadline) else {
            Issue.record("write \(count) was refused")
            return
          }
          revision = revisions[.handle("h")]
        }
        let metadata = try await cluster.send(client, .get, Self.root + "ipamhandles/h")["metadata"]?.objectValue
        #expect(metadata?["labels"] == ["team": "a"])
        #expect(metadata?["annotations"]?.objectValue?["note"] == "b")
        #expect(metadata?["ownerReferences"]?.arrayValue?.count == 1)
      }
    }

    @Test("affinities from before there were labels are found by their node once they are labelled")
    func unlabelled() async throws {
      try await Self.withStore { store, client, cluster in
        for (name, type) in [("node1", #","type":"host""#), ("node1", ""), ("node2", "")] {
          let network = type.isEmpty ? "10.65.0.64/26" : "10.65.0.0/26"
          let object = network.replacing(".", with: "-").replacing("/", with: "-")
          let text =
            #"{"apiVersion":"crd.projectcalico.org/v1","kind":"BlockAffinity","metadata":{"name":"\#(name)-\#(object)"},"#
            + #""spec":{"state":"confirmed","node":"\#(name)","cidr":"\#(network)","deleted":"false"\#(type)}}"#
          try await cluster.send(client, .post, Self.root + "blockaffinities", text)
        }
        func keys(_ scope: Listing.Scope) async throws -> Int {
          guard case .list(let list) = try await store.read([.list(Listing(scope))], deadline: Self.deadline)[0] else {
            return 0
          }
          return list.items.count
        }
        let own = Listing.Scope.affinities(BlockOwner(.host, "node1"), .v4)
        let (before, all) = (try await keys(own), try await keys(.allAffinities(.host)))
        #expect(before == 0)
        #expect(all == 3)
        let labelled = try await store.upgradeHost("node1", deadline: Self.deadline)
        #expect(labelled == 2)
        let after = try await keys(own)
        #expect(after == 2)
        let again = try await store.upgradeHost("node1", deadline: Self.deadline)
        #expect(again == 0)
        let metadata = try await cluster.send(
          client, .get, Self.root + "blockaffinities/node1-10-65-0-64-26")["metadata"]?.objectValue
        #expect(metadata?["labels"]?.objectValue?["projectcalico.org/affinity-type"] == "host")
      }
    }

    @Test("a block of a name of its own is listed as what it is about")
    func oddNames() async throws {
      try await Self.withStore { store, client, cluster in
        let text =
          #"{"apiVersion":"crd.projectcalico.org/v1","kind":"IPAMBlock","metadata":{"name":"my-block"},"#
          + #""spec":{"cidr":"10.65.0.0/31","allocations":[null,null],"unallocated":[0,1],"attributes":[],"#
          + #""strictAffinity":false}}"#
        try await cluster.send(client, .post, Self.root + "ipamblocks", text)
        let lists = try await store.read(
          [.list(Listing(.blocks(.v4), .keys)), .list(Listing(.blocks(.v4)))], deadline: Self.deadline)
        for case .list(let list) in lists {
          #expect(list.items.map(\.key) == [.block(try #require(CIDR("10.65.0.0/31")))])
        }
      }
    }

    @Test("an object that is malformed is named, with its field and what to do")
    func malformed() async throws {
      try await Self.withStore { store, client, cluster in
        let text =
          #"{"apiVersion":"crd.projectcalico.org/v1","kind":"BlockAffinity","metadata":{"name":"node1-10-65-0-0-26"},"#
          + #""spec":{"state":"confirmed","node":"node1","cidr":"10.65.0.0/26","deleted":"perhaps"}}"#
        try await cluster.send(client, .post, Self.root + "blockaffinities", text)
        for read in [
          Read.list(Listing(.allAffinities(.host))),
          .entry(.affinity(BlockOwner(.host, "node1"), try #require(CIDR("10.65.0.0/26")))),
        ] {
          let error = try #require(
            await #expect(throws: DatastoreError.self) { _ = try await store.read([read], deadline: Self.deadline) })
          #expect(error.code == .unusable)
          for word in ["blockaffinities", "node1-10-65-0-0-26", "spec.deleted", "perhaps"] {
            #expect(error.description.contains(word), "\(error.description)")
          }
          #expect(error.advice.contains("kubectl get blockaffinities"))
        }
      }
    }

    @Test("only Calico's annotations of a node are written, and other changes of it are conflicts")
    func nodes() async throws {
      try await Self.withStore { store, client, cluster in
        try await cluster.send(client, .delete, "/api/v1/nodes")
        try await cluster.send(
          client, .post, "/api/v1/nodes",
          #"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n","annotations":{"a":"b"}},"spec":{"podCIDR":"10.1.0.0/24"}}"#
        )
        let key = Key.resource(.node, "n")
        let stored = try #require(try await Self.entry(store, key))
        var node = try Resource(stored: stored.bytes, kind: .node, name: "n")
        node.specification["ipv4VXLANTunnelAddr"] = "10.65.0.1"
        let change = Change(key, base: .revision(stored.revision), final: .value(.resource(node.encoded())))
        guard case .applied = try await store.commit(Plan([change]), deadline: Self.deadline) else {
          Issue.record("the node was not written")
          return
        }
        let written = try await cluster.send(client, .get, "/api/v1/nodes/n")
        let annotations = written["metadata"]?.objectValue?["annotations"]
        #expect(annotations == ["a": "b", "projectcalico.org/IPv4VXLANTunnelAddr": "10.65.0.1"])
        #expect(written["spec"]?.objectValue?["podCIDR"] == "10.1.0.0/24")
        let stale = try await store.commit(Plan([change]), deadline: Self.deadline)
        #expect(stale == .conflict(key, applied: []))
        let deletion = Plan([Change(key, base: .any, final: .delete)])
        let error = await #expect(throws: DatastoreError.self) {
          _ = try await store.commit(deletion, deadline: Self.deadline)
        }
        #expect(error?.code == .unsupported)
      }
    }

    @Test("a kubelet that reports without news is no change of its node")
    func heartbeats() async throws {
      try await Self.withStore { store, client, cluster in
        try await cluster.send(client, .delete, "/api/v1/nodes")
        try await cluster.send(
          client, .post, "/api/v1/nodes", #"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}"#)
        var events = store.watch([.resources(.node)], from: nil).makeAsyncIterator()
        guard case .snapshot(_, let items, _)? = try await events.next() else {
          Issue.record("no snapshot")
          return
        }
        #expect(items.map(\.key) == [.resource(.node, "n")])
        for time in 1...3 {
          var node = try await cluster.send(client, .get, "/api/v1/nodes/n")
          let condition: JSON = [
            "type": "Ready", "status": "True", "lastHeartbeatTime": .string("2026-08-22T13:0\(time):00Z"),
          ]
          node["status"] = ["conditions": [condition]]
          try await cluster.send(client, .put, "/api/v1/nodes/n/status", JSON.object(node).encodedText)
        }
        var node = try await cluster.send(client, .get, "/api/v1/nodes/n")
        var metadata = try #require(node["metadata"]?.objectValue)
        metadata["labels"] = ["rack": "1"]
        node["metadata"] = .object(metadata)
        try await cluster.send(client, .put, "/api/v1/nodes/n", JSON.object(node).encodedText)
        var changes = 0
        while changes == 0 {
          guard case .change(_, let stored)? = try await events.next() else { continue }
          changes += 1
          // The first change that is told is the one that says something.
          #expect(try ResourceLabels.decode(try #require(stored).bytes) == ["rack": "1"])
        }
      }
    }
  }
}

extension JSON {
  fileprivate var encodedText: String { String(decoding: encoded(), as: UTF8.self) }
}
