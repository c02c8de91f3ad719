import IPAddressing
import Testing

@Suite("Addresses as numbers")
struct IPAddressTests {
  @Test("a family knows its width, and IPv4 comes first")
  func families() {
    #expect(AddressFamily.v4.bitWidth == 32)
    #expect(AddressFamily.v6.bitWidth == 128)
    #expect(AddressFamily.v4 < .v6)
    #expect(!(AddressFamily.v6 < .v4))
    #expect(!(AddressFamily.v4 < .v4))
  }

  @Test("the mapped range of IPv6 numbers is IPv4, its neighbours are not")
  func mappedNumbers() {
    #expect(IPAddress(v6: 0xFFFF_0000_0000) == IPAddress(v4: 0))
    #expect(IPAddress(v6: 0xFFFF_C000_0201) == IPAddress(v4: 0xC000_0201))
    #expect(IPAddress(v6: 0xFFFF_FFFF_FFFF) == IPAddress(v4: .max))
    #expect(IPAddress(v6: 0xFFFE_FFFF_FFFF).family == .v6)
    #expect(IPAddress(v6: 0x1_0000_0000_0000).family == .v6)
    #expect(IPAddress(v6: 0xC000_0201).family == .v6)
  }

  @Test("a number of a family is kept in it if it fits")
  func familyAndNumber() {
    #expect(IPAddress(.v4, number: 0xFFFF_FFFF) == IPAddress(v4: .max))
    #expect(IPAddress(.v4, number: 0x1_0000_0000) == nil)
    #expect(IPAddress(.v4, number: .max) == nil)
    #expect(IPAddress(.v6, number: .max)?.number == .max)
    #expect(IPAddress(.v6, number: 0xFFFF_0102_0304)?.family == .v6)
  }

  @Test("addresses of different families are different, even of the same number")
  func equality() {
    #expect(IPAddress(v4: 1) != IPAddress(v6: 1))
    #expect(IPAddress(v4: 1) != IPAddress(v4: 2))
    #expect(Set([IPAddress(v4: 1), IPAddress(v6: 1), IPAddress("0.0.0.1")]).count == 2)
  }

  @Test("IPv4 sorts before IPv6, and each family by number, not by text")
  func ordering() {
    let sorted = [
      "0.0.0.0", "9.255.255.255", "10.1.2.9", "10.1.2.10", "10.1.2.100", "255.255.255.255", "::", "::1", "::9:0",
      "::10:0", "2001:db8::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ].compactMap { IPAddress($0) }
    #expect(sorted.count == 12)
    #expect(sorted.reversed().sorted() == sorted)
    for (left, right) in zip(sorted, sorted.dropFirst()) {
      #expect(left < right, "\(left), \(right)")
      #expect(!(right < left), "\(left), \(right)")
      #expect(!(left < left), "\(left)")
    }
  }

  struct Step: Sendable, CustomTestStringConvertible {
    var start: String
    var distance: UInt128
    var end: String?
    var testDescription: String { "\(start) + \(distance)" }
  }

  @Test(
    "an address is advanced within its family, and not past its end",
    arguments: [
      Step(start: "10.0.0.1", distance: 0, end: "10.0.0.1"),
      Step(start: "10.0.0.1", distance: 1, end: "10.0.0.2"),
      Step(start: "10.0.0.255", distance: 1, end: "10.0.1.0"),
      Step(start: "10.255.255.255", distance: 1, end: "11.0.0.0"),
      Step(start: "0.0.0.0", distance: 0xFFFF_FFFF, end: "255.255.255.255"),
      Step(start: "255.255.255.255", distance: 0, end: "255.255.255.255"),
      Step(start: "255.255.255.255", distance: 1, end: nil),
      Step(start: "0.0.0.0", distance: 0x1_0000_0000, end: nil),
      Step(start: "0.0.0.1", distance: .max, end: nil),
      Step(start: "::ffff", distance: 1, end: "::1:0"),
      Step(start: "2001:db8::ffff:ffff:ffff:ffff", distance: 1, end: "2001:db8:0:1::"),
      Step(start: "::ff:ffff", distance: 1, end: "::100:0"),
      Step(start: "::", distance: .max, end: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
      Step(start: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", distance: 1, end: nil),
      Step(start: "::2", distance: .max, end: nil),
    ])
  func advancing(step: Step) throws {
    let start = try #require(IPAddress(step.start))
    let end = start.advanced(by: step.distance)
    #expect(end == step.end.flatMap { IPAddress($0) })
    #expect(end == nil || end?.family == start.family)
  }

  // Upstream turns such addresses into IPv4 (host-local specification, section 8, number 9).
  @Test("an IPv6 address of four significant bytes is still IPv6 when advanced")
  func advancingSmallV6() throws {
    let next = try #require(IPAddress("::100:1")?.advanced(by: 1))
    #expect(next.family == .v6)
    #expect(next.description == "::100:2")
  }
}
