import CalicoBackend
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Synchronization
import Testing

@Suite("Creating and changing resources")
struct ResourceWriteTests {
  private static func pool(_ name: String, _ cidr: String, _ more: JSONObject = [:], metadata: JSONObject = [:]) throws
    -> Resource
  {
    var specification = more
    specification["cidr"] = .string(cidr)
    return try resource("IPPool", name, .object(specification), metadata: metadata)
  }

  @Test("a new resource gets an identifier and the time, and nothing else of the document's metadata but labels")
  func creation() async throws {
    let store = try await ResourceStore().initialized()
    let metadata: JSONObject = [
      "labels": ["a": "b"], "annotations": ["c": "d"], "uid": "foreign", "creationTimestamp": "2001-01-01T00:00:00Z",
      "finalizers": ["f"],
    ]
    let created = try await store.client.create(try resource("IPReservation", "r", [:], metadata: metadata))
    let stored = try #require(store.text(.ipReservation, "r"))
    #expect(
      stored.hasPrefix(
        #"{"kind":"IPReservation","apiVersion":"projectcalico.org/v3","metadata":{"name":"r","uid":"0000"#))
    #expect(
      stored.hasSuffix(
        #""creationTimestamp":"2026-08-22T13:33:00Z","labels":{"a":"b"},"annotations":{"c":"d"}},"spec":{}}"#))
    #expect(created.resourceVersion == "2")
    #expect(try await store.client.get(.ipReservation, "r") == created)
  }

  @Test("what exists is not created again, and a version has no place in a new resource")
  func creationErrors() async throws {
    let store = try await ResourceStore().initialized()
    let pool = try Self.pool("p", "10.0.0.0/16")
    _ = try await store.client.create(pool)
    #expect(
      await failure { _ = try await store.client.create(pool) }
        == "resource already exists: IPPool(p) with error: <nil>")
    let versioned = try Self.pool("q", "10.1.0.0/16", metadata: ["resourceVersion": "7"])
    #expect(
      await failure { _ = try await store.client.create(versioned) }
        == "error with field Metadata.ResourceVersion = '7' (field must not be set for a Create request)")
    #expect(
      await failure { _ = try await store.client.create(try Self.pool("", "10.1.0.0/16")) }
        == "error with field Metadata.Name = '' (field must be set for a Create request)")
  }

  @Test("88: pools do not overlap, disabled or not, and blocks of another size are in the way")
  func poolsBeside() async throws {
    let store = try await ResourceStore().initialized()
    _ = try await store.client.create(try Self.pool("a", "10.0.0.0/16", ["disabled": true]))
    #expect(
      await failure { _ = try await store.client.create(try Self.pool("b", "10.0.1.0/24")) }
        == "error with field IPPool.Spec.CIDR = '10.0.1.0/24' (IPPool(b) CIDR overlaps with IPPool(a) CIDR 10.0.0.0/16)"
    )
    // What cannot be read stands in nobody's way; what has a range, whatever else is wrong with it, does.
    store.put("{", .ipPool, "broken")
    store.put(#"{"spec":{"blockSize":"large","cidr":"10.9.0.0/16"}}"#, .ipPool, "odd")
    #expect(
      await failure { _ = try await store.client.create(try Self.pool("b", "10.9.1.0/24")) }
        == "error with field IPPool.Spec.CIDR = '10.9.1.0/24' (IPPool(b) CIDR overlaps with IPPool(odd) CIDR 10.9.0.0/16)"
    )
    let block = IPAMBlock(
      cidr: try #require(CIDR("10.1.0.0/29")), owner: BlockOwner(.host, "n"), time: Timestamp(seconds: 1))
    store.memory.put(block.encoded(), at: KeyPath.path(of: .block(block.cidr)))
    let reason = "IPPool blocksSize conflicts with existing allocations that use a different blockSize"
    #expect(
      await failure { _ = try await store.client.create(try Self.pool("c", "10.1.0.0/16")) }
        == "error with field IPPool.Spec.BlockSize = '26' (\(reason))")
    _ = try await store.client.create(try Self.pool("c", "10.1.0.0/16", ["blockSize": 29]))
    _ = try await store.client.create(try Self.pool("d", "fd00::/64"))
  }

  @Test("a document that breaks a rule writes nothing")
  func invalid() async throws {
    let store = try await ResourceStore().initialized()
    let wrong = [
      try Self.pool("p", "10.0.0.0/33"), try Self.pool("p", "10.0.0.0/27"), try resource("Node", "N", [:]),
      try resource("IPReservation", "r", ["reservedCIDRs": ["x"]]),
      try resource("IPAMConfiguration", "other", [:]),
    ]
    for resource in wrong {
      #expect(await failure { _ = try await store.client.apply(resource) } != nil)
    }
    #expect(store.takeEvents().isEmpty)
    #expect(
      await failure { _ = try await store.client.apply(wrong[4]) }
        == "Cannot create an IPAMConfiguration resource with a name other than \"default\"")
  }

  @Test("apply creates, and replaces what exists")
  func application() async throws {
    let store = try await ResourceStore().initialized()
    let first = try await store.client.apply(try Self.pool("p", "10.0.0.0/16", metadata: ["labels": ["a": "1"]]))
    let second = try await store.client.apply(try Self.pool("p", "10.0.0.0/16", ["natOutgoing": true]))
    #expect(store.takeEvents() == ["create \(resourcePaths)/ippools/p", "update \(resourcePaths)/ippools/p"])
    #expect(second.uid == first.uid)
    #expect(second.metadata["labels"] == nil)
    #expect(second.specification["natOutgoing"] == true)
    #expect(
      await failure { _ = try await store.client.apply(try Self.pool("p", "10.0.0.0/17")) }
        == "error with field IPPool.Spec.CIDR = '10.0.0.0/17' (IPPool CIDR cannot be modified)")
    // An outdated version counts once there is a resource.
    let outdated = try Self.pool(
      "p", "10.0.0.0/16", metadata: ["resourceVersion": first.resourceVersion.map { .string($0) } ?? ""])
    #expect(await failure { _ = try await store.client.apply(outdated) } == "update conflict: IPPool(p)")
    let current = try Self.pool(
      "p", "10.0.0.0/16", metadata: ["resourceVersion": second.resourceVersion.map { .string($0) } ?? ""])
    _ = try await store.client.apply(current)
  }

  @Test("replace keeps what other programs wrote: metadata, status, and members of newer versions")
  func replacement() async throws {
    let store = try await ResourceStore().initialized()
    store.put(
      #"{"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"n","uid":"u","#
        + #""creationTimestamp":"2026-01-01T00:00:00Z","labels":{"old":"1"},"finalizers":["f"],"later":1},"#
        + #""spec":{"bgp":{"ipv4Address":"10.0.0.1/24","soon":2},"ipv4VXLANTunnelAddr":"10.1.0.1","new":[3]},"#
        + #""status":{"wireguardPublicKey":"k","more":4},"beside":5}"#, .node, "n")
    _ = try await store.client.replace(
      try resource(
        "Node", "n", ["bgp": ["ipv4Address": "10.0.0.2/24"]], metadata: ["annotations": ["a": "b"], "uid": "x"]))
    #expect(
      store.text(.node, "n") == #"{"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"n","uid":"u","#
        + #""creationTimestamp":"2026-01-01T00:00:00Z","annotations":{"a":"b"},"finalizers":["f"],"later":1},"#
        + #""spec":{"bgp":{"ipv4Address":"10.0.0.2/24","soon":2},"new":[3]},"#
        + #""status":{"wireguardPublicKey":"k","more":4},"beside":5}"#)
  }

  @Test("replacing what does not exist, or is another version, is an error at once")
  func replacementErrors() async throws {
    let store = try await ResourceStore().initialized()
    #expect(
      await failure { _ = try await store.client.replace(try Self.pool("x", "10.0.0.0/16")) }
        == "resource does not exist: IPPool(x) with error: <nil>")
    _ = try await store.client.create(try Self.pool("x", "10.0.0.0/16"))
    _ = store.takeEvents()
    let outdated = try Self.pool("x", "10.0.0.0/16", metadata: ["resourceVersion": "1"])
    #expect(await failure { _ = try await store.client.replace(outdated) } == "update conflict: IPPool(x)")
    #expect(store.takeEvents().isEmpty)
  }

  @Test("a replacement without a version that others get ahead of is repeated five times in all, a second apart")
  func conflicts() async throws {
    let store = try await ResourceStore().initialized()
    _ = try await store.client.create(try Self.pool("p", "10.0.0.0/16"))
    _ = store.takeEvents()
    let failures = Mutex(4)
    store.memory.injectFaults { write in
      failures.withLock { left in
        left -= 1
        return left >= 0 ? .conflict : .proceed
      }
    }
    _ = try await store.client.replace(try Self.pool("p", "10.0.0.0/16", ["natOutgoing": true]))
    let pauses = Array(repeating: "pause 1.0 seconds", count: 4)
    #expect(store.takeEvents() == pauses + ["update \(resourcePaths)/ippools/p"])
    failures.withLock { $0 = 5 }
    #expect(
      await failure { _ = try await store.client.replace(try Self.pool("p", "10.0.0.0/16")) }
        == "update conflict: IPPool(p)")
    #expect(store.takeEvents() == pauses)
  }

  @Test("an update must be complete, and of the stored version")
  func update() async throws {
    let store = try await ResourceStore().initialized()
    let created = try await store.client.create(try Self.pool("p", "10.0.0.0/16"))
    var pool = created
    pool.metadata["labels"] = ["a": "b"]
    let updated = try await store.client.update(pool)
    #expect(updated.metadata["labels"] == ["a": "b"])
    #expect(await failure { _ = try await store.client.update(pool) } == "update conflict: IPPool(p)")
    pool = updated
    pool.uid = nil
    #expect(
      await failure { _ = try await store.client.update(pool) }
        == "error with field Metadata.UID = '' (field must be set for an Update request)")
    try await store.client.delete(.ipPool, "p")
    #expect(
      await failure { _ = try await store.client.update(updated) }
        == "resource does not exist: IPPool(p) with error: <nil>")
  }

  @Test("a write whose answer is lost counts as made when the store shows it")
  func lostAnswers() async throws {
    let store = try await ResourceStore().initialized()
    store.memory.injectFaults { _ in .answerLost }
    let created = try await store.client.create(try Self.pool("p", "10.0.0.0/16"))
    #expect(created.resourceVersion == "2")
    store.memory.injectFaults { _ in .cutOff }
    let pool = try Self.pool("p", "10.0.0.0/16", ["natOutgoing": true])
    #expect(
      await failure { _ = try await store.client.replace(pool) } == "the connection broke while IPPool(p) was being "
        + "written, and the store does not show the change")
    store.memory.injectFaults { _ in .unavailable }
    #expect(
      await failure { _ = try await store.client.replace(pool) }
        == "the store in memory cannot be reached to write IPPool(p)")
  }

  @Test("an old pool with host bits in its range can be put in order")
  func oldPool() async throws {
    let store = try await ResourceStore().initialized()
    store.put(#"{"metadata":{"name":"p"},"spec":{"cidr":"10.0.0.1/24"}}"#, .ipPool, "p")
    let pool = try await store.client.replace(try Self.pool("p", "10.0.0.0/24"))
    #expect(pool.specification["cidr"] == "10.0.0.0/24")
    #expect(pool.uid != nil)
  }

  @Test("where nodes cannot be created, apply becomes an update; who may not write is told so")
  func refusals() async throws {
    let store = try await ResourceStore().initialized()
    store.put(#"{"spec":{"bgp":{"ipv4Address":"10.0.0.1/24"}}}"#, .node, "n")
    let text = "operation Create is not supported on Node(n)"
    store.setRefusal(DatastoreError(.unsupported, text), onlyCreations: true)
    let node = try resource("Node", "n", ["bgp": ["ipv4Address": "10.0.0.2/24"]])
    #expect(await failure { _ = try await store.client.create(node) } == text)
    _ = try await store.client.apply(node)
    #expect(store.text(.node, "n")?.contains("10.0.0.2/24") == true)
    store.setRefusal(DatastoreError(.forbidden, "no permission to write Node(n)"), onlyCreations: false)
    #expect(
      await failure { _ = try await store.client.apply(node) }
        == "connection is unauthorized: no permission to write Node(n)")
  }

  @Test("block affinities are no resources of people")
  func affinities() async throws {
    let store = try await ResourceStore().initialized()
    let affinity = Resource(.blockAffinity, name: "a", specification: [:])
    #expect(
      await failure { _ = try await store.client.apply(affinity) }
        == "operation Create is not supported on BlockAffinity(a)")
  }
}
