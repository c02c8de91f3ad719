import IPAddressing
import JSON
import Netlink
import RouteSources
import Routing
import Synchronization
import Testing

@Suite("A list of nodes as a source of routes")
struct StaticSourceTests {
  private static let list: JSON = [
    "nodes": [
      [
        "name": "n1", "addresses": ["172.30.1.11/24", "fd30:1::11/64", "192.0.2.1"], "podCIDRs": ["10.1.0.0/24"],
        "vxlanTunnelAddress": "10.1.0.0", "vxlanTunnelAddressV6": "fd65::1",
        "vxlanHardwareAddress": "66:93:7f:54:d5:53",
        "ipipTunnelAddress": "10.1.0.1",
      ]
    ],
    "pools": [["name": "p", "cidr": "10.0.0.0/8", "vxlanMode": "CrossSubnet"]],
  ]

  @Test("nodes, their ranges and pools are what the list says")
  func reading() throws {
    let topology = try StaticNodeList(Self.list).topology
    let node = try #require(topology.nodes["n1"])
    #expect(node.v4.underlay == CIDR("172.30.1.11/24"))
    #expect(node.v6.underlay == CIDR("fd30:1::11/64"))
    #expect(node.otherAddresses == [try #require(IPAddress("192.0.2.1"))])
    #expect(node.v4.vxlanHardwareAddress == HardwareAddress("66:93:7f:54:d5:53"))
    #expect(node.v6.vxlanTunnelAddress == IPAddress("fd65::1"))
    #expect(node.ipipTunnelAddress == IPAddress("10.1.0.1"))
    #expect(topology.claims == [.text("10.1.0.0/24"): Claim(["10.1.0.0/24": "n1"])])
    #expect(topology.pools == ["p": RoutingPool(.text("10.0.0.0/8"), vxlan: .crossSubnet)])
    let ranges = try StaticNodeList(Self.list, mode: .podCIDRs).topology
    #expect(ranges == Topology(pools: topology.pools, nodes: topology.nodes))
    #expect(try StaticNodeList([:]).topology == Topology())
  }

  @Test(
    "what is wrong is named, with where it stands and what belongs there",
    arguments: [
      (#"[]"#, "the list of nodes is a array, not an object with nodes, pools"),
      (#"{"node":[]}"#, #"the list of nodes has an unknown key "node"; did you mean "nodes"?"#),
      (#"{"nodes":[{"name":"a","podCidr":[]}]}"#, #"nodes[0] has an unknown key "podCidr"; did you mean "podCIDRs"?"#),
      (#"{"nodes":[{}]}"#, "nodes[0].name is missing"),
      (#"{"nodes":[{"name":"a"},{"name":"a"}]}"#, #"nodes[1]: there is another node "a""#),
      (
        #"{"nodes":[{"name":"a","addresses":["x"]}]}"#,
        #"nodes[0].addresses[0] is "x", not an address such as 172.30.1.11/24"#
      ),
      (
        #"{"nodes":[{"name":"a","podCIDRs":["10.1.0.5/24"]}]}"#,
        #"nodes[0].podCIDRs[0] is "10.1.0.5/24", not a network such as 10.1.0.0/24"#
      ),
      (
        #"{"nodes":[{"name":"a","podCIDRs":["10.1.0.0/24"]},{"name":"b","podCIDRs":["10.1.0.0/24"]}]}"#,
        #"nodes[1].podCIDRs: 10.1.0.0/24 is node "a"'s already"#
      ),
      (#"{"pools":[{"name":"p","cidr":7}]}"#, "pools[0].cidr is a number, not a text"),
      (
        #"{"pools":[{"name":"p","cidr":"10.0.0.0/8","ipipMode":"always"}]}"#,
        #"pools[0].ipipMode is "always", not one of Never, Always, CrossSubnet"#
      ),
    ])
  func errors(text: String, reason: String) throws {
    let document = try JSON(parsing: Array(text.utf8))
    #expect(throws: StaticNodeListError.self) { try StaticNodeList(document) }
    do { _ = try StaticNodeList(document) } catch { #expect("\(error)" == reason) }
  }

  @Test("a new version takes the place of the old one, and a broken one is told of while the old one holds")
  func versions() async throws {
    let version = Mutex<JSON?>(["nodes": 7])
    let source = StaticRouteSource(name: "/etc/nodes", interval: .milliseconds(1)) {
      version.withLock { version in
        defer { version = nil }
        return version
      }
    }
    let probe = SourceProbe(source)
    await probe.wait { $0.log.last == "interrupted the list of nodes: nodes is a number, not a list" }
    version.withLock { $0 = Self.list }
    await probe.wait { $0.snapshots == 1 && $0.faults.isEmpty }
    version.withLock { $0 = ["pool": []] }
    let told = await probe.wait { !$0.faults.isEmpty }
    #expect(told.faults == ["/etc/nodes": #"the list of nodes has an unknown key "pool"; did you mean "pools"?"#])
    #expect(told.topology.nodes.count == 1)
    version.withLock { $0 = [:] }
    await probe.wait { $0.topology == Topology() && $0.faults.isEmpty }
    source.refresh()
    await probe.wait { $0.snapshots == 3 }
    await probe.stop()
  }
}
