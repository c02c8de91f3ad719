import IPAddressing
import TestSupport
import Testing

@Suite("CIDR")
struct CIDRTests {
  struct Network: Sendable, CustomTestStringConvertible {
    var text: String
    var network: String
    var last: String
    var bits: Int
    var isHost: Bool
    var testDescription: String { text }

    init(_ text: String, _ network: String, through last: String, bits: Int, isHost: Bool) {
      self.text = text
      self.network = network
      self.last = last
      self.bits = bits
      self.isHost = isHost
    }
  }

  @Test(
    "the prefix length divides network from host",
    arguments: [
      Network("192.0.2.0/24", "192.0.2.0", through: "192.0.2.255", bits: 8, isHost: false),
      Network("192.0.2.12/24", "192.0.2.0", through: "192.0.2.255", bits: 8, isHost: true),
      Network("172.16.5.9/12", "172.16.0.0", through: "172.31.255.255", bits: 20, isHost: true),
      Network("192.168.127.0/23", "192.168.126.0", through: "192.168.127.255", bits: 9, isHost: true),
      Network("0.0.0.0/0", "0.0.0.0", through: "255.255.255.255", bits: 32, isHost: false),
      Network("1.2.3.4/0", "0.0.0.0", through: "255.255.255.255", bits: 32, isHost: true),
      Network("128.0.0.0/1", "128.0.0.0", through: "255.255.255.255", bits: 31, isHost: false),
      Network("10.0.0.0/31", "10.0.0.0", through: "10.0.0.1", bits: 1, isHost: false),
      Network("10.0.0.7/32", "10.0.0.7", through: "10.0.0.7", bits: 0, isHost: false),
      Network("2001:db8:1::/64", "2001:db8:1::", through: "2001:db8:1:0:ffff:ffff:ffff:ffff", bits: 64, isHost: false),
      Network(
        "2001:db8:24:19ff::/63", "2001:db8:24:19fe::", through: "2001:db8:24:19ff:ffff:ffff:ffff:ffff", bits: 65,
        isHost: true),
      Network("::/0", "::", through: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", bits: 128, isHost: false),
      Network("::1/0", "::", through: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", bits: 128, isHost: true),
      Network("8000::/1", "8000::", through: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", bits: 127, isHost: false),
      Network("::5/127", "::4", through: "::5", bits: 1, isHost: true),
      Network("::5/128", "::5", through: "::5", bits: 0, isHost: false),
    ])
  func division(example: Network) throws {
    let cidr = try #require(CIDR(example.text))
    #expect(cidr.network.description == example.network)
    #expect(cidr.last.description == example.last)
    #expect(cidr.hostBits == example.bits)
    #expect(cidr.hasHostBits == example.isHost)
    #expect(cidr.description == example.text)
    #expect(cidr.contains(cidr.network))
    #expect(cidr.contains(cidr.last))
  }

  struct Membership: Sendable, CustomTestStringConvertible {
    var cidr: String
    var inside: [String]
    var outside: [String]
    var testDescription: String { cidr }
  }

  @Test(
    "a network contains its addresses and no others",
    arguments: [
      Membership(
        cidr: "192.0.2.0/24",
        inside: ["192.0.2.0", "192.0.2.1", "192.0.2.255", "::ffff:192.0.2.7"],
        outside: ["192.0.1.255", "192.0.3.0", "0.0.0.0", "::c000:201", "::"]
      ),
      Membership(
        cidr: "172.16.5.9/12",
        inside: ["172.16.0.0", "172.31.255.255", "172.16.5.9"],
        outside: ["172.15.255.255", "172.32.0.0"]
      ),
      Membership(cidr: "0.0.0.0/0", inside: ["0.0.0.0", "255.255.255.255", "10.1.2.3"], outside: ["::", "::1"]),
      Membership(cidr: "10.0.0.7/32", inside: ["10.0.0.7"], outside: ["10.0.0.6", "10.0.0.8", "::a00:7"]),
      Membership(
        cidr: "2001:db8:1::/64",
        inside: ["2001:db8:1::", "2001:db8:1::ffff:ffff:ffff:ffff"],
        outside: ["2001:db8:1:1::", "2001:db8:0:ffff:ffff:ffff:ffff:ffff", "192.0.2.1"]
      ),
      Membership(
        cidr: "::/0",
        inside: ["::", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        outside: ["0.0.0.0", "::ffff:1.2.3.4"]
      ),
      Membership(cidr: "::5/128", inside: ["::5"], outside: ["::4", "::6", "0.0.0.5"]),
    ])
  func membership(example: Membership) throws {
    let cidr = try #require(CIDR(example.cidr))
    for text in example.inside { #expect(cidr.contains(try #require(IPAddress(text))), "\(text)") }
    for text in example.outside { #expect(!cidr.contains(try #require(IPAddress(text))), "\(text)") }
  }

  @Test("a length that does not fit the family is refused")
  func lengths() {
    let (v4, v6) = (IPAddress(v4: 1), IPAddress(v6: 1))
    #expect(CIDR(v4, prefixLength: 0)?.prefixLength == 0)
    #expect(CIDR(v4, prefixLength: 32)?.prefixLength == 32)
    #expect(CIDR(v4, prefixLength: 33) == nil)
    #expect(CIDR(v4, prefixLength: -1) == nil)
    #expect(CIDR(v6, prefixLength: 128)?.prefixLength == 128)
    #expect(CIDR(v6, prefixLength: 129) == nil)
    #expect(CIDR(v6, prefixLength: -1) == nil)
  }

  @Test("the network of a single address has the full length")
  func hosts() {
    #expect(CIDR(host: IPAddress(v4: 0x0A00_0007)).description == "10.0.0.7/32")
    #expect(CIDR(host: IPAddress(v6: 5)).description == "::5/128")
  }

  @Test("host bits are part of the value")
  func identity() {
    #expect(CIDR("10.0.0.1/8") != CIDR("10.0.0.0/8"))
    #expect(CIDR("10.0.0.0/8") != CIDR("10.0.0.0/9"))
    #expect(CIDR("10.0.0.0/8") == CIDR("10.0.0.0/08"))
  }

  @Test("a random network contains exactly the addresses between its ends", arguments: IPAddressRoundTripTests.seeds)
  func randomMembership(fixedSeed: UInt64?) throws {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for round in 0..<3_000 {
      let address = generator.nextAddress()
      let length = Int.random(in: 0...address.family.bitWidth, using: &generator)
      let cidr = try #require(CIDR(address, prefixLength: length))
      let low = try #require(AddressRange(cidr.network, through: cidr.last))
      let neighbours = [generator.nextAddress(), cidr.last.advanced(by: 1), cidr.network.advanced(by: 1), address]
      for other in neighbours.compactMap({ $0 }) {
        #expect(cidr.contains(other) == low.contains(other), "seed \(seed), round \(round): \(cidr), \(other)")
      }
      let size: UInt128 = length == 0 && address.family == .v6 ? .max : 1 << UInt128(cidr.hostBits)
      #expect(low.count == size, "seed \(seed), round \(round): \(cidr)")
      #expect(cidr.hasHostBits == (cidr.network != address), "seed \(seed), round \(round): \(cidr)")
    }
  }
}
