import CalicoBackend
import CalicoModel
import Datastore
import JSON
import Synchronization
import Testing

@Suite("Deleting resources")
struct ResourceDeleteTests {
  private struct Refusal: Error, CustomStringConvertible {
    var description: String { "no" }
  }

  private static func pool(_ more: JSONObject = [:]) throws -> Resource {
    var specification = more
    specification["cidr"] = "10.0.0.0/16"
    return try resource("IPPool", "p", .object(specification))
  }

  private static let path = "\(resourcePaths)/ippools/p"

  @Test("88: a pool is disabled, settles, loses its affinities, and is deleted")
  func pool() async throws {
    let store = try await ResourceStore().initialized()
    _ = try await store.client.create(try Self.pool())
    _ = store.takeEvents()
    let deleted = try await store.client.delete(.ipPool, "p")
    #expect(deleted.specification["disabled"] == nil)
    #expect(
      store.takeEvents() == [
        "update \(Self.path)", "pause 0.5 seconds", "release affinities of pool 10.0.0.0/16", "delete \(Self.path)",
      ])
    #expect(
      await failure { try await store.client.delete(.ipPool, "p") }
        == "resource does not exist: IPPool(p) with error: <nil>")
  }

  @Test("the version of an enabled pool is good for the whole deletion, which begins by changing it")
  func versionOfEnabledPool() async throws {
    let store = try await ResourceStore().initialized()
    let pool = try await store.client.create(try Self.pool())
    try await store.client.delete(.ipPool, "p", resourceVersion: pool.resourceVersion)
    #expect(store.text(.ipPool, "p") == nil)
  }

  @Test("a disabled pool is not written again, but settles as well")
  func disabledPool() async throws {
    let store = try await ResourceStore().initialized()
    _ = try await store.client.create(try Self.pool(["disabled": true]))
    _ = store.takeEvents()
    try await store.client.delete(.ipPool, "p")
    #expect(
      store.takeEvents() == [
        "pause 0.5 seconds", "release affinities of pool 10.0.0.0/16", "delete \(Self.path)",
      ])
  }

  @Test("when the affinities cannot be released the pool stays, disabled; the next attempt goes on")
  func failingRelease() async throws {
    let isRefused = Mutex(true)
    let store = try await ResourceStore { event in
      if event.hasPrefix("release"), isRefused.withLock({ $0 }) { throw Refusal() }
    }.initialized()
    _ = try await store.client.create(try Self.pool())
    #expect(await failure { try await store.client.delete(.ipPool, "p") } == "no")
    #expect(store.text(.ipPool, "p")?.contains(#""disabled":true"#) == true)
    isRefused.withLock { $0 = false }
    try await store.client.delete(.ipPool, "p")
    #expect(store.text(.ipPool, "p") == nil)
  }

  @Test("a pool that breaks a rule of today can be deleted")
  func oldPools() async throws {
    let store = try await ResourceStore().initialized()
    for (cidr, release) in [
      ("10.0.0.1/24", ["release affinities of pool 10.0.0.0/24"]), ("nonsense", []),
    ] {
      store.put(#"{"spec":{"cidr":"\#(cidr)"}}"#, .ipPool, "p")
      try await store.client.delete(.ipPool, "p")
      #expect(
        store.takeEvents() == ["update \(Self.path)", "pause 0.5 seconds"] + release + ["delete \(Self.path)"])
    }
  }

  @Test("a version is compared before anything happens, and after that only for what was not written here")
  func versions() async throws {
    let store = try await ResourceStore { event in
      // Somebody else changes the disabled pool while it settles.
      if event.hasPrefix("pause") { throw Refusal() }
    }.initialized()
    let first = try await store.client.create(try Self.pool())
    _ = store.takeEvents()
    for kind in [ResourceKind.ipPool, .node] {
      if kind == .node { _ = try await store.client.create(try resource("Node", "p", [:])) }
      _ = store.takeEvents()
      #expect(
        await failure { try await store.client.delete(kind, "p", resourceVersion: "999") }
          == "update conflict: \(kind.rawValue)(p)")
      #expect(store.takeEvents().isEmpty)
    }
    let version = first.resourceVersion
    #expect(await failure { try await store.client.delete(.ipPool, "p", resourceVersion: version) } == "no")
    // The version given was that of the enabled pool.
    #expect(
      await failure { try await store.client.delete(.ipPool, "p", resourceVersion: version) }
        == "update conflict: IPPool(p)")
  }

  @Test("with a version, what somebody changes while a disabled pool settles is not deleted; without, it is")
  func changeWhileSettling() async throws {
    for isVersioned in [true, false] {
      let holder = Mutex<InMemoryDatastore?>(nil)
      let text = #"{"spec":{"cidr":"10.0.0.0/16","disabled":true,"natOutgoing":true}}"#
      let store = try await ResourceStore { event in
        guard event.hasPrefix("pause") else { return }
        _ = holder.withLock { $0 }?.put(Array(text.utf8), at: Self.path)
      }.initialized()
      holder.withLock { $0 = store.memory }
      let pool = try await store.client.create(try Self.pool(["disabled": true]))
      let message = await failure {
        try await store.client.delete(.ipPool, "p", resourceVersion: isVersioned ? pool.resourceVersion : nil)
      }
      #expect(message == (isVersioned ? "update conflict: IPPool(p)" : nil))
      #expect(store.text(.ipPool, "p") == (isVersioned ? text : nil))
    }
  }

  @Test("a node gives up its tunnel addresses and affinities first")
  func node() async throws {
    let store = try await ResourceStore().initialized()
    let specification: JSON = [
      "bgp": ["ipv4IPIPTunnelAddr": "10.0.0.1"], "ipv4VXLANTunnelAddr": "10.0.0.2",
      "wireguard": ["interfaceIPv6Address": "fd00::1"],
    ]
    _ = try await store.client.create(try resource("Node", "n", specification))
    _ = try await store.client.create(try resource("Node", "bare", [:]))
    _ = store.takeEvents()
    try await store.client.delete(.node, "n")
    try await store.client.delete(.node, "bare")
    #expect(
      store.takeEvents() == [
        "release addresses 10.0.0.1 10.0.0.2 fd00::1", "release affinities of host n",
        "delete \(resourcePaths)/nodes/n", "release affinities of host bare", "delete \(resourcePaths)/nodes/bare",
      ])
    #expect(
      await failure { try await store.client.delete(.node, "n") }
        == "resource does not exist: Node(n) with error: <nil>")
  }

  @Test("a store without blocks has no affinities to release; any other error of the store passes through")
  func unsupported() async throws {
    for code in [DatastoreError.Code.unsupported, .unavailable] {
      let store = try await ResourceStore { event in
        if event.hasPrefix("release") { throw DatastoreError(code, "broken") }
      }.initialized()
      _ = try await store.client.create(try Self.pool())
      _ = try await store.client.create(try resource("Node", "n", [:]))
      for (kind, name) in [(ResourceKind.ipPool, "p"), (.node, "n")] {
        let message = await failure { try await store.client.delete(kind, name) }
        #expect(message == (code == .unsupported ? nil : "broken"))
        #expect((store.text(kind, name) == nil) == (code == .unsupported))
      }
    }
  }

  @Test("a reservation is deleted, with its version if one is given")
  func reservation() async throws {
    let store = try await ResourceStore().initialized()
    let created = try await store.client.create(try resource("IPReservation", "r", [:]))
    #expect(
      await failure { try await store.client.delete(.ipReservation, "r", resourceVersion: "1") }
        == "update conflict: IPReservation(r)")
    try await store.client.delete(.ipReservation, "r", resourceVersion: created.resourceVersion)
    #expect(store.text(.ipReservation, "r") == nil)
  }
}
