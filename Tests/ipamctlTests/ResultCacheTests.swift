import Testing

@testable import ipamctl

@Suite("The result cache of libcni")
final class ResultCacheTests {
  private let host: HostFixture

  init() throws { host = try HostFixture() }

  static let current = """
    {"kind":"cniCacheV1","containerId":"3f69","config":"eyJ9","ifName":"eth0","networkName":"cbr0",\
    "netns":"/var/run/netns/8b8677c8","cniArgs":[["IgnoreUnknown","true"],["K8S_POD_NAME","web"]],\
    "capabilityArgs":{"dns":{"Servers":["192.0.2.3"]}},"result":{"cniVersion":"1.0.0",\
    "interfaces":[{"name":"veth0"},{"name":"eth0","sandbox":"/run/netns/other"}]}}
    """

  @Test("names the attachment and the namespace that the runtime passed")
  func netns() {
    #expect(
      ResultCache.entry(Array(Self.current.utf8), file: "/f")
        == ResultCache.Entry(
          network: "cbr0",
          containerID: "3f69",
          interfaceName: "eth0",
          namespacePath: "/var/run/netns/8b8677c8",
          file: "/f"
        )
    )
  }

  @Test("of an earlier release names the namespace in the result, at the container's own interface")
  func sandbox() {
    let text = """
      {"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","networkName":"pods","result":{"interfaces":[
      {"name":"cni0"},{"name":"eth0"},{"name":"eth1","sandbox":"/wrong"},{"name":"eth0","sandbox":"/run/netns/c1"}]}}
      """
    #expect(ResultCache.entry(Array(text.utf8), file: "")?.namespacePath == "/run/netns/c1")
  }

  @Test(
    "without a namespace names the attachment only",
    arguments: [#","netns":"""#, #","result":{}"#, #","result":null"#, ""])
  func withoutNamespace(_ members: String) {
    let text = #"{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","networkName":"pods"\#(members)}"#
    let entry = ResultCache.entry(Array(text.utf8), file: "")
    #expect(entry?.containerID == "c1")
    #expect(entry?.namespacePath == nil)
  }

  @Test(
    "passes over bare results of early releases and anything else",
    arguments: [
      "", "{", "[]", "null", #"{"cniVersion":"0.4.0","ips":[]}"#, #"{"kind":"cniCacheV2","containerId":"c"}"#,
    ]
  )
  func others(_ text: String) {
    #expect(ResultCache.entry(Array(text.utf8), file: "") == nil)
  }

  @Test("is read from both of its places")
  func places() throws {
    try host.cache("c1", namespace: "/run/netns/c1")
    try host.write(Self.current, to: "/var/lib/cni/cache/results/cbr0-3f69-eth0")
    let cache = ResultCache(host.roots)
    #expect(cache.obstacles.isEmpty)
    #expect(
      cache.entries.map(\.file) == [
        "/var/lib/cni/results/pods-c1-eth0", "/var/lib/cni/cache/results/cbr0-3f69-eth0",
      ]
    )
  }

  @Test("that cannot be read is an obstacle")
  func unreadable() throws {
    try host.makeDirectory("/var/lib/cni/results/pods-c1-eth0")
    #expect(ResultCache(host.roots).obstacles.first?.contains("is a directory") == true)
  }
}
