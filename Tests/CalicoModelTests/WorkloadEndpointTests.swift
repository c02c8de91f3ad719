import CalicoModel
import IPAddressing
import Testing

@Suite("Workload endpoints")
struct WorkloadEndpointTests {
  private func endpoint(_ text: String, at place: String = "default/node--1-k8s-web-eth0") -> WorkloadEndpoint? {
    WorkloadEndpoint(decoding: Array(text.utf8), at: place)
  }

  @Test("one has the addresses of its interface, of both families")
  func addresses() throws {
    let networks = #"["10.65.0.2/32","fd00:10:65::2/128","10.65.0.3"]"#
    let found = try #require(
      endpoint(
        #"{"kind":"WorkloadEndpoint","metadata":{"name":"other"},"spec":{"node":"n","ipNetworks":\#(networks)}}"#))
    #expect(found.namespace == "default")
    #expect(found.name == "node--1-k8s-web-eth0")
    #expect(found.addresses == ["10.65.0.2", "fd00:10:65::2", "10.65.0.3"].compactMap { IPAddress($0) })
  }

  @Test("what is no address is passed over", arguments: ["{}", #"{"spec":null}"#, #"{"spec":{"ipNetworks":[7,"x"]}}"#])
  func noAddresses(text: String) {
    #expect(endpoint(text)?.addresses == [])
  }

  @Test("what is none is not taken for one")
  func none() {
    #expect(endpoint("{") == nil)
    #expect(endpoint("[]") == nil)
    for place in ["", "name", "/name", "namespace/", "a/b/c"] { #expect(endpoint("{}", at: place) == nil) }
  }
}
