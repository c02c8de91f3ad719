import ArgumentParser
import CalicoModel
import IPAddressing
import JSON
import Netlink
import Routing
import Testing

@testable import ipamctl

/// Three nodes, two of them on one link, and a pool whose packets are wrapped between links only.
@Suite struct RouteShowTests {
  private let fixture: CalicoFixture

  init() async throws {
    fixture = try CalicoFixture()
    try await fixture.pool("pods", "10.65.0.0/16", ",\"vxlanMode\":\"CrossSubnet\"")
    for (node, underlay, tunnel) in [
      ("n1", "172.30.1.11/24", "10.65.1.0"), ("n2", "172.30.1.12/24", "10.65.2.0"),
      ("n3", "172.30.2.13/24", "10.65.3.0"),
    ] {
      try await fixture.put(
        .resource(.node, node),
        """
        {"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"\(node)"},\
        "spec":{"bgp":{"ipv4Address":"\(underlay)"},"ipv4VXLANTunnelAddr":"\(tunnel)"}}
        """)
    }
    try await fixture.block("10.65.1.0/26", "host:n1")
    try await fixture.block("10.65.2.0/26", "host:n2", [.pod(9, "pods.c", node: "n3")])
    try await fixture.block("10.65.3.0/26", "host:n3")
  }

  private func show(_ arguments: [String], _ kernel: StillKernel) async throws -> Transcript {
    let parsed = try await IPAMControl.asyncParseAsRoot(["route", "show"] + arguments)
    let command = try #require(parsed as? RouteShowCommand)
    return await command.execute(fixture.session) { kernel }
  }

  @Test("another node's routes come with next hop, owner, block and reason, and without a state")
  func anotherNode() async throws {
    let shown = try await show(["--node", "n1"], StillKernel())
    #expect(shown.status == 0)
    let lines = shown.output.split(separator: "\n").map { $0.split(separator: " ").prefix(5).joined(separator: " ") }
    #expect(
      lines.prefix(5) == [
        "DESTINATION NEXT HOP DEVICE NODE",
        "10.65.1.0/26 blackhole - n1 10.65.1.0/26",
        "10.65.2.0/26 172.30.1.12 - n2 10.65.2.0/26",
        "10.65.2.9/32 10.65.3.0 vxlan.calico n3 10.65.2.0/26",
        "10.65.3.0/26 10.65.3.0 vxlan.calico n3 10.65.3.0/26",
      ])
    #expect(shown.output.contains("4 routes; which of them node n1 has, only it can tell"))
  }

  @Test("on the node itself each route is compared with the kernel's")
  func thisNode() async throws {
    let kernel = StillKernel()
    let eth0 = InterfaceIndex(2)
    kernel.present = [
      Link(index: eth0, name: "eth0", isUp: true, isRunning: true, mtu: 1500)
    ]
    kernel.assigned = [
      InterfaceAddress(interface: eth0, address: try #require(IPAddress("172.30.1.11")), prefixLength: 24)
    ]
    func key(_ text: String) throws -> RouteKey { RouteKey(try #require(CIDR(text)), metric: 0) }
    kernel.table = [
      Route(try key("10.65.1.0/26"), kind: .blackhole, origin: .agent),
      Route(
        try key("10.65.2.0/26"), kind: .unicast, origin: .bird,
        hop: RouteHop(gateway: IPAddress("172.30.1.12"), interface: eth0)),
      Route(try key("10.65.9.0/26"), kind: .blackhole, origin: .agent),
    ]
    let shown = try await show(["--node", "n1", "-o", "json"], kernel)
    #expect(shown.status == 0)
    let document = try JSON(parsing: Array(shown.output.utf8))
    let states = try #require(document.objectValue?["routes"]?.arrayValue).map { route in
      "\(route.objectValue?["destination"]?.stringValue ?? "") \(route.objectValue?["state"]?.stringValue ?? "")"
    }
    #expect(
      states == [
        "10.65.1.0/26 present", "10.65.2.0/26 held", "10.65.2.9/32 missing", "10.65.3.0/26 missing",
        "10.65.9.0/26 stale",
      ])
    #expect(kernel.changes == 0)
  }

  @Test("a node that nobody knows has no routes but those of its blocks, and it is said that it is unknown")
  func unknownNode() async throws {
    let shown = try await show(["--node", "n9"], StillKernel())
    #expect(shown.status == 0)
    #expect(shown.errors.contains("n9, is not in the datastore"))
  }
}

/// Tables that nobody changes, as a test sets them.
private final class StillKernel: Kernel {
  var present: [Link] = []
  var assigned: [InterfaceAddress] = []
  var table: [Route] = []
  private(set) var changes = 0

  func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [Int: KernelRefusal] {
    self.changes += changes.count
    return [:]
  }

  func routes(_ family: AddressFamily, table: UInt32, origin: RouteProtocol?) throws(NetlinkError) -> [Route] {
    self.table.filter { $0.key.family == family && (origin == nil || $0.origin == origin) }
  }

  func links() throws(NetlinkError) -> [Link] { present }
  func addresses() throws(NetlinkError) -> [InterfaceAddress] { assigned }
  func neighbours(_ family: AddressFamily, of interface: InterfaceIndex) throws(NetlinkError) -> [Neighbour] { [] }
  func forwarding(of interface: InterfaceIndex) throws(NetlinkError) -> [ForwardingEntry] { [] }
  func nextHops(origin: RouteProtocol) throws(NetlinkError) -> [NextHop] { [] }

  func lookUp(_ address: IPAddress) throws(NetlinkError) -> RouteLookup {
    let link = CIDR("172.30.1.0/24")
    if link?.contains(address) == true { return .hop(RouteHop(interface: InterfaceIndex(2))) }
    return .hop(RouteHop(gateway: IPAddress("172.30.1.1"), interface: InterfaceIndex(2)))
  }

  func events() throws(NetlinkError) -> [KernelEvent] { [] }
  func watchNeighbours(of interfaces: Set<InterfaceIndex>) throws(NetlinkError) {}
  func setTransmitChecksumOffload(_ isOn: Bool, interface name: String) throws(NetlinkError) -> Bool { false }
}
