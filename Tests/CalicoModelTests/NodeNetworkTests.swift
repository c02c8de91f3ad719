import CalicoModel
import IPAddressing
import Testing

@Suite("Addresses of a node")
struct NodeNetworkTests {
  private func node(_ specification: String, _ more: String = "") throws(ModelError) -> NodeNetwork {
    try NodeNetwork(decoding: Array(#"{"kind":"Node","spec":{\#(specification)}\#(more)}"#.utf8))
  }

  @Test("every address is found where Calico keeps it")
  func members() throws {
    let node = try node(
      #""bgp":{"ipv4Address":"172.30.1.11/24","ipv6Address":"fd30:1::11/64","ipv4IPIPTunnelAddr":"10.65.0.1","asNumber":7},"#
        + #""ipv4VXLANTunnelAddr":"10.65.0.2","vxlanTunnelMACAddr":"66:93:7f:54:d5:53","#
        + #""ipv6VXLANTunnelAddr":"fd65::2","vxlanTunnelMACAddrV6":"66:93:7f:54:d5:54","#
        + #""addresses":[{"address":"172.30.1.11/24","type":"CalicoNodeIP"},{"address":"10.0.0.1","type":"InternalIP"}]"#,
      #","status":{"podCIDRs":["10.1.0.0/24","fd01::/64"],"wireguardPublicKey":"k"}"#
        + #","metadata":{"name":"n","creationTimestamp":"2026-08-22T13:33:00Z"}"#)
    #expect(node.underlay(.v4) == CIDR("172.30.1.11/24"))
    #expect(node.underlay(.v6) == CIDR("fd30:1::11/64"))
    #expect(node.ipipTunnelAddress == IPAddress("10.65.0.1"))
    #expect(node.vxlanTunnelAddressV4 == IPAddress("10.65.0.2"))
    #expect(node.vxlanTunnelAddressV6 == IPAddress("fd65::2"))
    #expect(node.vxlanHardwareAddressV4 == "66:93:7f:54:d5:53")
    #expect(node.vxlanHardwareAddressV6 == "66:93:7f:54:d5:54")
    #expect(node.addresses.map(\.address) == [CIDR("172.30.1.11/24"), CIDR("10.0.0.1/32")])
    #expect(node.podCIDRs == [CIDR("10.1.0.0/24"), CIDR("fd01::/64")])
    #expect(node.createdAt == Timestamp("2026-08-22T13:33:00Z"))
    #expect(node.violations.isEmpty)
  }

  @Test("without an address for BGP the first internal address counts, and then the first external one, by family")
  func underlay() throws {
    let listed =
      #""addresses":[{"type":"ExternalIP","address":"192.0.2.1"},{"type":"ExternalIP","address":"2001:db8::1"},"#
      + #"{"type":"Hostname","address":"node-a"},{"type":"InternalIP","address":"10.0.0.1"}]"#
    let node = try node(listed)
    #expect(node.underlay(.v4) == CIDR("10.0.0.1/32"))
    #expect(node.underlay(.v6) == CIDR("2001:db8::1/128"))
    #expect(node.violations.isEmpty)
    #expect(try self.node(listed + #","bgp":{"ipv4Address":"172.30.1.11/24"}"#).underlay(.v4) == CIDR("172.30.1.11/24"))
    #expect(try self.node(#""bgp":null,"addresses":null"#).underlay(.v4) == nil)
  }

  @Test("the ranges of pods are those that any member names, each once")
  func podRanges() throws {
    let node = try node(
      #""podCIDR":"10.1.0.0/24","podCIDRs":["10.1.0.0/24","fd01::5/64"]"#, #","status":{"podCIDRs":["10.2.0.0/24"]}"#)
    #expect(node.podCIDRs == [CIDR("10.1.0.0/24"), CIDR("fd01::/64"), CIDR("10.2.0.0/24")])
  }

  @Test("a text that is no address of its family is left out and named; the rest is used")
  func violations() throws {
    let node = try node(
      #""bgp":{"ipv4Address":"fd30::1/64","ipv6Address":"x","ipv4IPIPTunnelAddr":"10.65.0.1/32"},"#
        + #""ipv4VXLANTunnelAddr":"10.65.0.2","addresses":[{"type":"InternalIP","address":"?"}],"podCIDR":"10.1.0.0""#)
    #expect(
      node.violations == [
        "spec.bgp.ipv4Address is \"fd30::1/64\", which is not an IPv4 address with its prefix length",
        "spec.bgp.ipv6Address is \"x\", which is not an IPv6 address with its prefix length",
        "spec.bgp.ipv4IPIPTunnelAddr is \"10.65.0.1/32\", which is not an IPv4 address",
        "spec.addresses is \"?\", which is not an address",
        "spec.podCIDR is \"10.1.0.0\", which is not an address range",
      ])
    #expect(node.underlay(.v4) == nil)
    #expect(node.vxlanTunnelAddressV4 == IPAddress("10.65.0.2"))
    #expect(throws: ModelError.self) { try self.node(#""bgp":7"#) }
  }
}
