import CalicoBackend
import CalicoModel
import JSON
import Testing

@Suite("Reading resources")
struct ResourceListTests {
  @Test("a list is in the order of names, with defaults; what cannot be read is told")
  func listing() async throws {
    let store = try await ResourceStore().initialized()
    _ = try await store.client.create(try resource("IPPool", "b", ["cidr": "10.0.0.0/16"]))
    store.put(#"{"spec":{"cidr":"10.1.0.1/16"}}"#, .ipPool, "a")
    store.put("nonsense", .ipPool, "c")
    let list = try await store.client.list(.ipPool)
    #expect(list.items.map(\.name) == ["a", "b"])
    #expect(list.items.first?.specification["blockSize"] == 26)
    #expect(list.items.first?.specification["cidr"] == "10.1.0.1/16")
    #expect(list.items.map(\.resourceVersion) == ["3", "2"])
    #expect(list.unreadable.map(\.code) == [.unreadable(.resource(.ipPool, "c"))])
    #expect(
      await failure { _ = try await store.client.get(.ipPool, "blah") }
        == "resource does not exist: IPPool(blah) with error: <nil>")
    #expect(await failure { _ = try await store.client.get(.ipPool, "c") }?.contains("value=nonsense: ") == true)
  }
}
