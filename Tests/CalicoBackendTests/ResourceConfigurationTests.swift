import CalicoBackend
import CalicoModel
import Datastore
import JSON
import Testing

@Suite("IPAMConfiguration: what address management reads, and the resource beside it")
struct ResourceConfigurationTests {
  private static let key = "/calico/ipam/v2/config"
  private static let path = "\(resourcePaths)/ipamconfigurations/default"

  private static func configuration(_ specification: JSON, metadata: JSONObject = [:]) throws -> Resource {
    try resource("IPAMConfiguration", "default", specification, metadata: metadata)
  }

  @Test("what people write is what address management reads, and the resource says the same")
  func creation() async throws {
    let store = try await ResourceStore().initialized()
    let specification: JSON = [
      "strictAffinity": true, "autoAllocateBlocks": true, "maxBlocksPerHost": 4,
      "kubeVirtVMAddressPersistence": "Enabled", "ipCooldownSeconds": 30,
    ]
    let created = try await store.client.apply(try Self.configuration(specification, metadata: ["labels": ["a": "b"]]))
    #expect(store.takeEvents() == ["create \(Self.key)", "create \(Self.path)"])
    #expect(
      store.text(Self.key)
        == #"{"strict_affinity":true,"auto_allocate_blocks":true,"maxBlocksPerHost":4,"#
        + #""kubeVirtVMAddressPersistence":"Enabled","ipCooldownSeconds":30}"#)
    #expect(
      store.text(Self.path)?.hasSuffix(
        #""labels":{"a":"b"}},"spec":{"strictAffinity":true,"autoAllocateBlocks":true,"maxBlocksPerHost":4,"#
          + #""kubeVirtVMAddressPersistence":"Enabled","ipCooldownSeconds":30}}"#) == true)
    #expect(try await store.client.get(.ipamConfiguration, "default") == created)
    #expect(try await store.client.list(.ipamConfiguration).items == [created])
    #expect(
      await failure { _ = try await store.client.create(try Self.configuration([:])) }
        == "resource already exists: IPAMConfiguration(default) with error: <nil>")
  }

  @Test("a document that does not mention a switch turns it off")
  func omission() async throws {
    let store = try await ResourceStore().initialized()
    _ = try await store.client.apply(try Self.configuration(["maxBlocksPerHost": 2]))
    #expect(store.text(Self.key) == #"{"maxBlocksPerHost":2}"#)
  }

  @Test("switches set without a document are an IPAMConfiguration, and can be replaced and updated as one")
  func foreignSwitches() async throws {
    let store = try await ResourceStore().initialized()
    store.memory.put(Array(#"{"auto_allocate_blocks":true,"later":[1]}"#.utf8), at: Self.key)
    var found = try await store.client.get(.ipamConfiguration, "default")
    #expect(found.specification == ["strictAffinity": false, "autoAllocateBlocks": true])
    found.specification["strictAffinity"] = true
    let updated = try await store.client.update(found)
    #expect(store.takeEvents() == ["update \(Self.key)", "create \(Self.path)"])
    #expect(store.text(Self.key) == #"{"strict_affinity":true,"auto_allocate_blocks":true,"later":[1]}"#)
    #expect(updated.uid != nil)
    _ = try await store.client.replace(try Self.configuration(["autoAllocateBlocks": true]))
    #expect(store.text(Self.key) == #"{"auto_allocate_blocks":true,"later":[1]}"#)
  }

  @Test("a resource that only calicoctl wrote is without effect, and is taken over by the next write")
  func foreignResource() async throws {
    let store = try await ResourceStore().initialized()
    store.put(#"{"metadata":{"uid":"u"},"spec":{"strictAffinity":true}}"#, .ipamConfiguration, "default")
    #expect(
      await failure { _ = try await store.client.get(.ipamConfiguration, "default") }
        == "resource does not exist: IPAMConfiguration(default) with error: <nil>")
    _ = try await store.client.create(try Self.configuration(["autoAllocateBlocks": true]))
    #expect(store.takeEvents() == ["create \(Self.key)", "update \(Self.path)"])
    // The switches that hold are shown even where the resource says something else.
    store.put(
      #"{"metadata":{"uid":"u"},"spec":{"strictAffinity":true,"ipCooldownSeconds":9}}"#, .ipamConfiguration, "default")
    let shown = try await store.client.get(.ipamConfiguration, "default")
    #expect(shown.specification == ["strictAffinity": false, "autoAllocateBlocks": true])
    #expect(shown.uid == "u")
  }

  @Test("the version is that of what address management reads")
  func versions() async throws {
    let store = try await ResourceStore().initialized()
    let created = try await store.client.create(try Self.configuration(["autoAllocateBlocks": true]))
    store.memory.put(Array(#"{"strict_affinity":true}"#.utf8), at: Self.key)
    #expect(
      await failure { _ = try await store.client.update(created) } == "update conflict: IPAMConfiguration(default)")
    #expect(
      await failure { try await store.client.delete(.ipamConfiguration, "default", resourceVersion: "1") }
        == "update conflict: IPAMConfiguration(default)")
  }

  @Test("when somebody gets ahead with the resource alone, nothing is written, and it is a conflict")
  func race() async throws {
    let store = try await ResourceStore().initialized()
    store.memory.injectFaults { $0.key == .configuration ? .proceed : .conflict }
    #expect(
      await failure { _ = try await store.client.apply(try Self.configuration([:])) }
        == "update conflict: IPAMConfiguration(default)")
    #expect(store.text(Self.key) == nil)
  }

  @Test("both go together")
  func deletion() async throws {
    let store = try await ResourceStore().initialized()
    _ = try await store.client.create(try Self.configuration(["autoAllocateBlocks": true]))
    _ = store.takeEvents()
    try await store.client.delete(.ipamConfiguration, "default")
    #expect(store.takeEvents() == ["delete \(Self.key)", "delete \(Self.path)"])
    #expect(
      await failure { try await store.client.delete(.ipamConfiguration, "default") }
        == "resource does not exist: IPAMConfiguration(default) with error: <nil>")
    #expect(try await store.client.list(.ipamConfiguration).items.isEmpty)
  }

  @Test("where one object is both, it is written once")
  func single() async throws {
    let store = try await ResourceStore(configurationPlaces: .keyAlone).initialized()
    _ = try await store.client.apply(try Self.configuration(["autoAllocateBlocks": true]))
    _ = try await store.client.apply(try Self.configuration(["strictAffinity": true]))
    try await store.client.delete(.ipamConfiguration, "default")
    #expect(store.takeEvents() == ["create \(Self.key)", "update \(Self.key)", "delete \(Self.key)"])
  }

  @Test("switches that cannot be read are told")
  func unreadable() async throws {
    let store = try await ResourceStore().initialized()
    store.memory.put(Array("[]".utf8), at: Self.key)
    #expect(
      await failure { _ = try await store.client.get(.ipamConfiguration, "default") }?
        .hasPrefix("failed to parse datastore entry key=\(Self.key); value=[]: ") == true)
  }
}
