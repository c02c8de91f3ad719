import IPAddressing
import Testing

@testable import HostLocal

@Suite("Validation of a range")
struct RangeConfigurationTests {
  struct Default: Sendable, CustomTestStringConvertible {
    var subnet: String
    var window: String
    var gateway: String
    var capacity: UInt128
    var testDescription: String { subnet }
  }

  @Test(
    "a range begins behind the network address and ends before the broadcast address, if there is one",
    arguments: [
      Default(subnet: "192.0.2.0/24", window: "192.0.2.1-192.0.2.254", gateway: "192.0.2.1", capacity: 253),
      Default(subnet: "192.0.2.0/25", window: "192.0.2.1-192.0.2.126", gateway: "192.0.2.1", capacity: 125),
      Default(subnet: "192.0.2.128/25", window: "192.0.2.129-192.0.2.254", gateway: "192.0.2.129", capacity: 125),
      Default(subnet: "10.0.0.0/30", window: "10.0.0.1-10.0.0.2", gateway: "10.0.0.1", capacity: 1),
      Default(subnet: "10.0.0.0/29", window: "10.0.0.1-10.0.0.6", gateway: "10.0.0.1", capacity: 5),
      Default(subnet: "10.0.0.0/8", window: "10.0.0.1-10.255.255.254", gateway: "10.0.0.1", capacity: 16_777_213),
      Default(subnet: "0.0.0.0/0", window: "0.0.0.1-255.255.255.254", gateway: "0.0.0.1", capacity: 0xFFFF_FFFD),
      Default(
        subnet: "255.255.255.252/30", window: "255.255.255.253-255.255.255.254", gateway: "255.255.255.253", capacity: 1
      ),
      Default(
        subnet: "2001:db8:1::/64",
        window: "2001:db8:1::1-2001:db8:1:0:ffff:ffff:ffff:ffff",
        gateway: "2001:db8:1::1",
        capacity: UInt128(UInt64.max) - 1
      ),
      Default(subnet: "2001:db8::/126", window: "2001:db8::1-2001:db8::3", gateway: "2001:db8::1", capacity: 2),
      Default(
        subnet: "::/0",
        window: "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        gateway: "::1",
        capacity: .max - 1
      ),
    ])
  func defaults(example: Default) throws {
    let range = try #require(try ConfigurationDocument.sets(example.subnet).first?.ranges.first)
    #expect(range.description == example.window)
    #expect(range.window.description == example.window)
    #expect(range.gateway.description == example.gateway)
    #expect(range.subnet.description == example.subnet)
    #expect(range.capacity == example.capacity)
  }

  struct Refused: Sendable, CustomTestStringConvertible {
    var range: String
    var problem: String
    var testDescription: String { range }
  }

  private static func expectRefusal(_ example: Refused) throws {
    let problem = try ConfigurationDocument.problem(ipam: #""ranges": [[{\#(example.range)}]]"#)
    #expect(problem == "invalid range set 0: \(example.problem)")
  }

  @Test(
    "a subnet without two addresses to give is too small",
    arguments: [
      "192.0.2.0/31", "192.0.2.1/31", "192.0.2.1/32", "255.255.255.255/32", "2001:db8::/127", "2001:db8::1/128",
    ])
  func tooSmall(subnet: String) throws {
    try Self.expectRefusal(
      Refused(range: #""subnet": "\#(subnet)""#, problem: "Network \(subnet) too small to allocate from"))
  }

  @Test("a subnet is named in canonical form")
  func normalised() throws {
    try Self.expectRefusal(
      Refused(range: #""subnet": "2001:0DB8::00/0127""#, problem: "Network 2001:db8::/127 too small to allocate from"))
    try Self.expectRefusal(
      Refused(
        range: #""subnet": "::ffff:192.0.2.0/127""#,
        problem: "Network 192.0.2.0/31 too small to allocate from"
      ))
  }

  @Test("an IPv4-mapped subnet is refused", arguments: ["::ffff:10.1.2.0/120", "::ffff:10.1.2.1/126", "::ffff:0:0/96"])
  func mapped(subnet: String) throws {
    try Self.expectRefusal(Refused(range: #""subnet": "\#(subnet)""#, problem: "IPNet IP and Mask version mismatch"))
  }

  struct HostBits: Sendable, CustomTestStringConvertible {
    var subnet: String
    var length: Int
    var network: String
    var testDescription: String { subnet }
  }

  @Test(
    "a subnet with host bits is refused",
    arguments: [
      HostBits(subnet: "192.0.2.12/24", length: 24, network: "192.0.2.0"),
      HostBits(subnet: "192.168.127.0/23", length: 23, network: "192.168.126.0"),
      HostBits(subnet: "2001:DB8:1::24:19ff:fee1:c44a/64", length: 64, network: "2001:db8:1::"),
      HostBits(subnet: "2001:DB8:24:19ff::/63", length: 63, network: "2001:db8:24:19fe::"),
      HostBits(subnet: "10.0.0.1/0", length: 0, network: "0.0.0.0"),
      HostBits(subnet: "10.0.0.1/30", length: 30, network: "10.0.0.0"),
    ])
  func hostBits(example: HostBits) throws {
    let problem =
      "Network has host bits set. For a subnet mask of length \(example.length) the network address is "
      + example.network
    try Self.expectRefusal(Refused(range: #""subnet": "\#(example.subnet)""#, problem: problem))
  }

  @Test("a range without a subnet is refused", arguments: ["", #""rangeStart": "10.1.2.3""#])
  func noSubnet(range: String) throws {
    try Self.expectRefusal(Refused(range: range, problem: "IP <nil> not v4 nor v6"))
    #expect(
      try ConfigurationDocument.problem(ipam: #""ranges": [[null]]"#) == "invalid range set 0: IP <nil> not v4 nor v6")
  }

  @Test(
    "a start or end outside the subnet, or out of order, is refused",
    arguments: [
      Refused(range: #""rangeStart": "192.0.3.0""#, problem: "RangeStart 192.0.3.0 not in network 192.0.2.0/24"),
      Refused(range: #""rangeStart": "192.0.1.255""#, problem: "RangeStart 192.0.1.255 not in network 192.0.2.0/24"),
      Refused(range: #""rangeStart": "2001:db8::1""#, problem: "RangeStart 2001:db8::1 not in network 192.0.2.0/24"),
      Refused(range: #""rangeEnd": "192.0.4.0""#, problem: "RangeEnd 192.0.4.0 not in network 192.0.2.0/24"),
      Refused(range: #""rangeEnd": "2001:db8::1""#, problem: "RangeEnd 2001:db8::1 not in network 192.0.2.0/24"),
      Refused(range: #""rangeEnd": "192.0.2.0""#, problem: "RangeEnd 192.0.2.0 not in network 192.0.2.0/24"),
      Refused(
        range: #""rangeStart": "192.0.2.50", "rangeEnd": "192.0.2.40""#,
        problem: "RangeStart 192.0.2.50 not in network 192.0.2.0/24"
      ),
      Refused(
        range: #""rangeStart": "192.0.3.0", "rangeEnd": "192.0.4.0""#,
        problem: "RangeStart 192.0.3.0 not in network 192.0.2.0/24"
      ),
      Refused(
        range: #""rangeStart": "192.0.2.5", "rangeEnd": "192.0.4.0""#,
        problem: "RangeEnd 192.0.4.0 not in network 192.0.2.0/24"
      ),
      Refused(
        range: #""rangeStart": "192.0.2.5", "rangeEnd": "2001:db8::1""#,
        problem: "RangeEnd 2001:db8::1 not in network 192.0.2.0/24"
      ),
    ])
  func outside(example: Refused) throws {
    try Self.expectRefusal(
      Refused(range: #""subnet": "192.0.2.0/24", "# + example.range, problem: example.problem))
  }

  // Addresses compare only within a family, so the start of this range cannot be above its end; the end is at fault.
  @Test("an end of the other family is what is refused, and not the start")
  func endOfOtherFamily() throws {
    try Self.expectRefusal(
      Refused(
        range: #""subnet": "2001:db8::/64", "rangeStart": "2001:db8::5", "rangeEnd": "10.0.0.1""#,
        problem: "RangeEnd 10.0.0.1 not in network 2001:db8::/64"
      ))
  }

  @Test(
    "a window may lie anywhere in the subnet, its ends included",
    arguments: [
      ("192.0.2.0/24", "192.0.2.40-192.0.2.50"), ("192.0.2.0/24", "192.0.2.0-192.0.2.255"),
      ("192.0.2.0/24", "192.0.2.255-192.0.2.255"), ("192.0.2.0/24", "192.0.2.0-192.0.2.0"),
      ("192.0.2.0/24", "192.0.2.7-192.0.2.7"), ("2001:db8::/64", "2001:db8::40-2001:db8::50"),
      ("2001:db8::/64", "2001:db8::-2001:db8::ffff:ffff:ffff:ffff"),
    ])
  func windows(subnet: String, window: String) throws {
    let range = try #require(try ConfigurationDocument.sets("\(subnet) \(window)").first?.ranges.first)
    #expect(range.description == window)
    let set = try #require(try ConfigurationDocument.sets("\(subnet) \(window)").first)
    #expect(set.contains(range.window.first))
    #expect(set.contains(range.window.last))
    #expect(range.window.last.advanced(by: 1).map(set.contains) != true)
    let before = IPAddress(range.window.first.family, number: range.window.first.number &- 1)
    #expect(before.map(set.contains) != true)
  }

  // Upstream takes it and walks out of the subnet (host-local specification, section 8, number 8).
  @Test("a start at the broadcast address needs an end there")
  func startAtBroadcast() throws {
    let problem = try ConfigurationDocument.problem(ipam: #""subnet": "10.0.0.0/30", "rangeStart": "10.0.0.3""#)
    #expect(
      problem?.hasPrefix("invalid range set 0: RangeStart 10.0.0.3 not in network 10.0.0.0/30") == true)
    let explicit = #""subnet": "10.0.0.0/30", "rangeStart": "10.0.0.3", "rangeEnd": "10.0.0.3""#
    #expect(try ConfigurationDocument.problem(ipam: explicit) == nil)
  }

  @Test(
    "a gateway may be any address, and costs one only if it lies in the window",
    arguments: [
      ("192.0.2.45", 10), ("192.0.2.40", 10), ("192.0.2.50", 10), ("192.0.2.39", 11), ("192.0.2.255", 11),
      ("10.9.9.9", 11), ("2001:db8::1", 11), ("::c000:22d", 11), ("0.0.0.0", 11),
    ] as [(String, UInt128)])
  func gateways(gateway: String, capacity: UInt128) throws {
    let range = try #require(
      try ConfigurationDocument.sets("192.0.2.0/24 192.0.2.40-192.0.2.50 \(gateway)").first?.ranges.first)
    #expect(range.gateway == IPAddress(gateway))
    #expect(range.capacity == capacity)
  }

  @Test("the successor of an address is the next one, up to the end of the window")
  func successors() throws {
    let range = try #require(
      try ConfigurationDocument.sets("192.0.2.0/24 192.0.2.40-192.0.2.50").first?.ranges.first)
    #expect(range.successor(of: try #require(IPAddress("192.0.2.40"))) == IPAddress("192.0.2.41"))
    #expect(range.successor(of: try #require(IPAddress("192.0.2.49"))) == IPAddress("192.0.2.50"))
    #expect(range.successor(of: try #require(IPAddress("192.0.2.50"))) == nil)
  }
}
