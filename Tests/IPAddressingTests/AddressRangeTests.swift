import IPAddressing
import TestSupport
import Testing

@Suite("Runs of addresses")
struct AddressRangeTests {
  private static func range(_ first: String, _ last: String) throws -> AddressRange? {
    AddressRange(try #require(IPAddress(first)), through: try #require(IPAddress(last)))
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var first: String
    var last: String
    var count: UInt128
    var testDescription: String { "\(first)-\(last)" }
  }

  @Test(
    "both ends are counted",
    arguments: [
      Case(first: "10.0.0.1", last: "10.0.0.1", count: 1),
      Case(first: "10.0.0.1", last: "10.0.0.2", count: 2),
      Case(first: "10.0.0.0", last: "10.0.0.255", count: 256),
      Case(first: "10.0.0.200", last: "10.0.1.10", count: 67),
      Case(first: "0.0.0.0", last: "255.255.255.255", count: 0x1_0000_0000),
      Case(first: "::", last: "::", count: 1),
      Case(first: "2001:db8::", last: "2001:db8::ffff:ffff:ffff:ffff", count: 1 << 64),
      Case(first: "::1", last: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", count: .max),
      Case(first: "::", last: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", count: .max),
      Case(first: "::", last: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", count: .max),
    ])
  func counting(example: Case) throws {
    let range = try #require(try Self.range(example.first, example.last))
    #expect(range.count == example.count)
    #expect(range.description == "\(example.first)-\(example.last)")
    #expect(range.first.description == example.first)
    #expect(range.last.description == example.last)
  }

  @Test("ends out of order or of two families make no range")
  func refused() throws {
    #expect(try Self.range("10.0.0.2", "10.0.0.1") == nil)
    #expect(try Self.range("::2", "::1") == nil)
    #expect(try Self.range("10.0.0.1", "::ffff") == nil)
    #expect(try Self.range("10.0.0.1", "2001:db8::1") == nil)
    #expect(try Self.range("::1", "10.0.0.1") == nil)
  }

  struct Membership: Sendable, CustomTestStringConvertible {
    var first: String
    var last: String
    var inside: [String]
    var outside: [String]
    var testDescription: String { "\(first)-\(last)" }
  }

  @Test(
    "a range contains its ends and nothing beyond",
    arguments: [
      Membership(
        first: "192.0.2.40",
        last: "192.0.2.50",
        inside: ["192.0.2.40", "192.0.2.45", "192.0.2.50", "::ffff:192.0.2.40"],
        outside: ["192.0.2.39", "192.0.2.51", "0.0.0.0", "255.255.255.255", "::c000:22d", "2001:db8::45"]
      ),
      Membership(
        first: "2001:db8::40",
        last: "2001:db8::50",
        inside: ["2001:db8::40", "2001:db8::4f", "2001:db8::50"],
        outside: ["2001:db8::3f", "2001:db8::51", "::45", "0.0.0.69"]
      ),
      Membership(
        first: "::1", last: "::ff", inside: ["::1", "::ff"], outside: ["0.0.0.1", "0.0.0.255", "::", "::100"]),
      Membership(
        first: "10.0.0.7",
        last: "10.0.0.7",
        inside: ["10.0.0.7"],
        outside: ["10.0.0.6", "10.0.0.8", "::a00:7"]
      ),
    ])
  func membership(example: Membership) throws {
    let range = try #require(try Self.range(example.first, example.last))
    for text in example.inside { #expect(range.contains(try #require(IPAddress(text))), "\(text)") }
    for text in example.outside { #expect(!range.contains(try #require(IPAddress(text))), "\(text)") }
  }

  @Test("ranges are equal if both their ends are")
  func equality() throws {
    #expect(try Self.range("10.0.0.1", "10.0.0.9") == Self.range("::ffff:10.0.0.1", "10.0.0.9"))
    #expect(try Self.range("10.0.0.1", "10.0.0.9") != Self.range("10.0.0.1", "10.0.0.8"))
    #expect(try Self.range("10.0.0.1", "10.0.0.9") != Self.range("10.0.0.2", "10.0.0.9"))
  }

  @Test("a random range contains what lies between its ends", arguments: IPAddressRoundTripTests.seeds)
  func randomMembership(fixedSeed: UInt64?) {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for round in 0..<3_000 {
      let ends = [generator.nextAddress(), generator.nextAddress()]
      let other = generator.nextAddress()
      guard let range = AddressRange(ends[0], through: ends[1]) else {
        let areOrdered = ends[0].family == ends[1].family && ends[0] <= ends[1]
        #expect(!areOrdered, "seed \(seed), round \(round)")
        continue
      }
      let isBetween = other.family == ends[0].family && ends[0] <= other && other <= ends[1]
      #expect(range.contains(other) == isBetween, "seed \(seed), round \(round): \(range), \(other)")
    }
  }
}
