import IPAddressing
import Testing

@testable import Netlink

@Suite("Encoding of changes and questions")
struct EncodingTests {
  static let v4Block = RouteKey("10.65.3.0/26", metric: 0)
  static let v6Block = RouteKey("fd65:2::/122", metric: 1024)
  static let hardwareAddress: HardwareAddress = "66:93:7f:54:d5:53"
  static let tunnelRoute = Route(
    v4Block, kind: .unicast, origin: .felix,
    hop: RouteHop(gateway: "10.65.3.0", interface: InterfaceIndex(4), isOnLink: true), mtu: 1450)

  /// A message of appendix A, and what it stands for.
  struct Vector: CustomTestStringConvertible {
    let name: String
    let change: KernelChange
    let words: String

    var testDescription: String { name }
  }

  static let vectors = [
    Vector(
      name: "A1: create a VXLAN device",
      change: .createLink(
        NewLink(
          name: "vxlan.calico",
          kind: .vxlan(
            VXLANSettings(identifier: 4096, port: 4789, local: "172.30.1.11", lower: InterfaceIndex(2))),
          mtu: 1450, hardwareAddress: hardwareAddress)),
      words: """
        84000000 10000506 01000000 00000000 00000000 00000000 00000000 00000000
        11000300 76786c61 6e2e6361 6c69636f 00000000 0a000100 66937f54 d5530000
        08000400 aa050000 3c001280 0a000100 76786c61 6e000000 2c000280 08000100
        00100000 08000300 02000000 08000400 ac1e010b 05000700 00000000 06000f00
        12b50000
        """),
    Vector(
      name: "A2: switch a device on",
      change: .changeLink(InterfaceIndex(4), LinkChange(isUp: true)),
      words: "20000000 10000500 01000000 00000000 00000000 04000000 01000000 01000000"),
    Vector(
      name: "A3: replace a route on a tunnel device",
      change: .replaceRoute(tunnelRoute),
      words: """
        40000000 18000505 01000000 00000000 021a0000 fe500001 04000000 08000100
        0a410300 08000500 0a410300 08000400 04000000 0c000880 08000200 aa050000
        """),
    Vector(
      name: "A3 as an addition: exclusive in place of replacing",
      change: .addRoute(tunnelRoute),
      words: """
        40000000 18000506 01000000 00000000 021a0000 fe500001 04000000 08000100
        0a410300 08000500 0a410300 08000400 04000000 0c000880 08000200 aa050000
        """),
    Vector(
      name: "A4: replace a blackhole",
      change: .replaceRoute(
        Route(RouteKey("10.65.1.0/26", metric: 0), kind: .blackhole, origin: .felix)),
      words: """
        24000000 18000505 01000000 00000000 021a0000 fe500006 00000000 08000100
        0a410100
        """),
    Vector(
      name: "A5: replace a direct IPv6 route",
      change: .replaceRoute(
        Route(
          v6Block, kind: .unicast, origin: .felix,
          hop: RouteHop(gateway: "fd30:1::12", interface: InterfaceIndex(2), isOnLink: true))),
      words: """
        54000000 18000505 01000000 00000000 0a7a0000 fe500001 04000000 14000100
        fd650002 00000000 00000000 00000000 14000500 fd300001 00000000 00000000
        00000012 08000400 02000000 08000600 00040000
        """),
    Vector(
      name: "A6 (R-15): a deletion names protocol, type, gateway and interface, and any scope",
      change: .deleteRoute(tunnelRoute),
      words: """
        34000000 19000500 01000000 00000000 021a0000 fe50ff01 00000000 08000100
        0a410300 08000500 0a410300 08000400 04000000
        """),
    Vector(
      name: "A7: replace a neighbour",
      change: .replaceNeighbour(
        Neighbour(interface: InterfaceIndex(4), address: "10.65.3.0", hardwareAddress: hardwareAddress)),
      words: """
        30000000 1c000505 01000000 00000000 02000000 04000000 80000001 08000100
        0a410300 0a000200 66937f54 d5530000
        """),
    Vector(
      name: "A8: replace a forwarding entry",
      change: .replaceForwarding(
        ForwardingEntry(interface: InterfaceIndex(4), hardwareAddress: hardwareAddress, destination: "172.30.2.13")),
      words: """
        30000000 1c000505 01000000 00000000 07000000 04000000 80000200 08000100
        ac1e020d 0a000200 66937f54 d5530000
        """),
    Vector(
      name: "A9: add an address",
      change: .addAddress(InterfaceAddress(interface: InterfaceIndex(4), address: "10.65.1.0", prefixLength: 32)),
      words: """
        28000000 14000505 01000000 00000000 02200000 04000000 08000200 0a410100
        08000100 0a410100
        """),
    Vector(
      name: "A10: replace a nexthop object",
      change: .replaceNextHop(
        NextHop(
          id: 0x5000_0001, origin: .felix,
          hop: RouteHop(gateway: "10.65.3.0", interface: InterfaceIndex(4), isOnLink: true))),
      words: """
        30000000 68000505 01000000 00000000 02005000 04000000 08000100 01000050
        08000500 04000000 08000600 0a410300
        """),
    Vector(
      name: "A11: replace a route through a nexthop object",
      change: .replaceRoute(Route(v4Block, kind: .unicast, origin: .felix, nextHopID: 0x5000_0001)),
      words: """
        2c000000 18000505 01000000 00000000 021a0000 fe500001 00000000 08000100
        0a410300 08001e00 01000050
        """),
    Vector(
      name: "A13: create an IPIP device",
      change: .createLink(NewLink(name: "tunl0", kind: .ipip)),
      words: """
        3c000000 10000506 01000000 00000000 00000000 00000000 00000000 00000000
        0a000300 74756e6c 30000000 10001280 09000100 69706970 00000000
        """),
  ]

  @Test("appendix A of the routes specification, byte for byte", arguments: vectors)
  func vector(vector: Vector) {
    #expect(encode(vector.change) == vector.words.octets)
  }

  @Test("A12: a listing of routes names table and protocol")
  func listing() {
    let words = "1c000000 1a000103 01000000 00000000 02000000 fe500000 00000000"
    #expect(encode(.routes(.v4, table: 254, origin: .felix)) == words.octets)
  }

  @Test("a table above 255 goes into an attribute, in a route, in its deletion and in the listing")
  func largeTable() {
    var route = Route(Self.v4Block, kind: .blackhole, origin: .agent)
    route.key.table = 0x1234
    let attribute: [UInt8] = [8, 0, 15, 0, 0x34, 0x12, 0, 0]
    for message in [
      encode(.replaceRoute(route)), encode(.deleteRoute(route)), encode(.routes(.v4, table: 0x1234, origin: nil)),
    ] {
      #expect(message[20] == 0)
      #expect(message.suffix(8) == attribute[...])
    }
  }

  @Test("R-15: the metric of a deletion is named if there is one, and 1024 for an IPv6 route without")
  func deletedMetric() {
    func metric(_ key: RouteKey) -> ArraySlice<UInt8> {
      encode(.deleteRoute(Route(key, kind: .blackhole, origin: .agent))).dropFirst(28 + 4 + key.family.bitWidth / 8)
    }
    var v4 = Self.v4Block
    #expect(metric(v4).isEmpty)
    v4.metric = 7
    #expect(Array(metric(v4)) == [8, 0, 6, 0, 7, 0, 0, 0])
    var v6 = Self.v6Block
    #expect(Array(metric(v6)) == [8, 0, 6, 0, 0, 4, 0, 0])
    v6.metric = 0
    #expect(Array(metric(v6)) == [8, 0, 6, 0, 0, 4, 0, 0])
  }

  @Test("host bits are not sent: IPv4 would refuse them")
  func hostBits() {
    var route = Self.tunnelRoute
    route.key.destination = "10.65.3.9/26"
    #expect(encode(.replaceRoute(route)) == encode(.replaceRoute(Self.tunnelRoute)))
  }

  @Test("a deletion through a nexthop object names the object and no hop, even if the hop is known")
  func deletionThroughObject() {
    var route = Self.tunnelRoute
    route.nextHopID = 0x5000_0001
    #expect(encode(.deleteRoute(route)).suffix(8) == [8, 0, 0x1E, 0, 1, 0, 0, 0x50])
    #expect(encode(.deleteRoute(route)).count == 28 + 8 + 8)
  }

  @Test("what is too long for a message is told, and leaves the messages before it as they are")
  func overflow() {
    var buffer = MessageBuffer(capacity: 1 << 17)
    buffer.append(.deleteNextHop(id: 1), sequence: 1)
    let count = buffer.count
    for change: KernelChange in [
      .createLink(NewLink(name: String(repeating: "x", count: 1 << 16), kind: .ipip)),
      .createLink(NewLink(name: String(repeating: "x", count: 1 << 20), kind: .ipip)),
      .replaceRoute(
        Route(
          Self.v4Block, kind: .unicast, origin: .agent, hop: RouteHop(gateway: "10.0.0.1"),
          otherHops: Array(repeating: RouteHop(gateway: "10.0.0.1"), count: 5000))),
    ] {
      buffer.append(change, sequence: 2)
      let hasOverflowed = buffer.hasOverflowed
      #expect(hasOverflowed)
      buffer.truncate(to: count)
    }
    let bytes = Array(buffer.bytes)
    #expect(bytes == encode(.deleteNextHop(id: 1), isAcknowledged: false))
    buffer.append(.deleteNextHop(id: 2), sequence: 2)
    let hasOverflowed = buffer.hasOverflowed
    #expect(!hasOverflowed)
  }

  @Test("every message is as long as it says, and a multiple of four")
  func lengths() {
    for change in Self.vectors.map(\.change) {
      let message = encode(change)
      #expect(message.count % 4 == 0)
      #expect(Int(message[0]) | Int(message[1]) << 8 == message.count)
    }
  }

  private func encode(_ change: KernelChange, isAcknowledged: Bool = true) -> [UInt8] {
    var buffer = MessageBuffer(capacity: 1 << 16)
    buffer.append(change, sequence: 1)
    if isAcknowledged { buffer.acknowledge(messageAt: 0) }
    return Array(buffer.bytes)
  }

  private func encode(_ question: KernelQuestion) -> [UInt8] {
    var buffer = MessageBuffer(capacity: 1 << 16)
    buffer.append(question, isStrict: true, sequence: 1)
    return Array(buffer.bytes)
  }
}
