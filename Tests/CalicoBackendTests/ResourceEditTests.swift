import CalicoBackend
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

@Suite("Editing resources")
struct ResourceEditTests {
  private static func pool(_ name: String, _ cidr: String, _ more: JSONObject = [:]) throws -> Resource {
    var specification = more
    specification["cidr"] = .string(cidr)
    return try resource("IPPool", name, .object(specification), metadata: [:])
  }

  @Test("what was read is changed and written, all metadata included")
  func editing() async throws {
    let store = try await ResourceStore().initialized()
    let created = try await store.client.create(try Self.pool("p", "10.0.0.0/16"))
    let edited = try await store.client.edit(.ipPool, "p") { pool in
      #expect(pool.resourceVersion == created.resourceVersion)
      var pool = pool
      pool.specification["disabled"] = true
      pool.metadata["finalizers"] = ["f"]
      return pool
    }
    let stored = try await store.client.get(.ipPool, "p")
    #expect(stored == edited)
    #expect(stored.specification["disabled"] == true)
    #expect(stored.metadata["finalizers"] == ["f"])
    #expect(stored.uid == created.uid)
  }

  @Test("the result is checked like any other write, and nothing is written of one that is wrong")
  func checking() async throws {
    let store = try await ResourceStore().initialized()
    _ = try await store.client.create(try Self.pool("p", "10.0.0.0/16"))
    _ = store.takeEvents()
    let message = await failure {
      _ = try await store.client.edit(.ipPool, "p") { pool in
        var pool = pool
        pool.specification["cidr"] = "10.9.0.0/16"
        return pool
      }
    }
    #expect(message == "error with field IPPool.Spec.CIDR = '10.9.0.0/16' (IPPool CIDR cannot be modified)")
    let absence = await failure { _ = try await store.client.edit(.ipPool, "q") { $0 } }
    #expect(absence == "resource does not exist: IPPool(q) with error: <nil>")
    #expect(store.takeEvents() == [])
  }

  @Test("another version in the result is a conflict, which is tried again as often as was asked for")
  func conflicts() async throws {
    let store = try await ResourceStore().initialized()
    _ = try await store.client.create(try Self.pool("p", "10.0.0.0/16"))
    var calls = 0
    let message = await failure {
      _ = try await store.client.edit(.ipPool, "p", attempts: 3) { pool in
        calls += 1
        var pool = pool
        pool.resourceVersion = "1"
        return pool
      }
    }
    #expect(message == "update conflict: IPPool(p)")
    #expect(calls == 3)
  }

  @Test("a part of a pool may lie in it, and over blocks of another size")
  func overlapping() async throws {
    let store = try await ResourceStore().initialized()
    _ = try await store.client.create(try Self.pool("p", "10.0.0.0/16"))
    let part = try await store.client.createOverlapping(try Self.pool("part", "10.0.0.0/17", ["blockSize": 28]))
    #expect(try await store.client.get(.ipPool, "part") == part)
    #expect(part.uid != nil)
    #expect(
      await failure { _ = try await store.client.createOverlapping(try Self.pool("part", "10.0.0.0/17")) }
        == "resource already exists: IPPool(part) with error: <nil>")
    #expect(
      await failure { _ = try await store.client.createOverlapping(try Self.pool("small", "10.0.0.0/27")) }
        == "error with field spec (IP pool size is too small for use with Calico IPAM. It must be equal to or greater than "
        + "the block size.)")
  }

  @Test("a pool that was split is deleted and nothing else done, if it is still as it was")
  func deletion() async throws {
    let store = try await ResourceStore().initialized()
    var pool = try await store.client.create(try Self.pool("p", "10.0.0.0/16"))
    _ = store.takeEvents()
    let version = pool.resourceVersion
    pool.resourceVersion = "1"
    let outdated = pool
    let conflict = await failure { try await store.client.deleteKeepingAffinities(outdated) }
    #expect(conflict == "update conflict: IPPool(p)")
    pool.resourceVersion = version
    try await store.client.deleteKeepingAffinities(pool)
    #expect(store.takeEvents() == ["delete \(KeyPath.path(of: .resource(.ipPool, "p")))"])
    let gone = pool
    let absence = await failure { try await store.client.deleteKeepingAffinities(gone) }
    #expect(absence == "resource does not exist: IPPool(p) with error: <nil>")
  }

  @Test("Kubernetes makes and deletes its nodes itself")
  func nodes() async throws {
    let store = try await ResourceStore(configurationPlaces: .keyAlone).initialized()
    let node = try resource("Node", "n1", [:], metadata: [:])
    #expect(
      await failure { _ = try await store.client.create(node) }
        == "operation Create is not supported on Node(n1): nodes are made by Kubernetes")
    #expect(
      await failure { _ = try await store.client.apply(node) }
        == "resource does not exist: Node(n1) with error: <nil>")
  }
}
