import IPAddressing
import TestSupport
import Testing

@Suite("Sets of addresses")
struct AddressSetTests {
  private static func set(_ cidrs: String...) throws -> AddressSet {
    AddressSet(try cidrs.map { try #require(CIDR($0)) })
  }

  @Test("networks that overlap or touch become one range")
  func joining() throws {
    #expect(try Self.set("10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25").description == "10.0.0.0-10.0.0.255")
    #expect(try Self.set("10.0.1.0/24", "10.0.0.0/24").description == "10.0.0.0-10.0.1.255")
    let apart = try Self.set("10.0.2.0/24", "10.0.0.0/24")
    #expect(apart.description == "10.0.0.0-10.0.0.255 10.0.2.0-10.0.2.255")
    #expect(try Self.set("10.0.0.7/24") == Self.set("10.0.0.0/24"))
  }

  @Test("the last IPv4 address and the first IPv6 address do not touch, nor do ends of the number space overflow")
  func families() throws {
    let all = try Self.set("::/0", "0.0.0.0/0")
    #expect(all.ranges.count == 2)
    #expect(all.ranges.first?.description == "0.0.0.0-255.255.255.255")
    #expect(all.subtracting(try Self.set("0.0.0.0/0")) == (try Self.set("::/0")))
    #expect(all.intersection(try Self.set("10.0.0.0/8")) == (try Self.set("10.0.0.0/8")))
    #expect(try Self.set("255.255.255.255/32", "::/128").ranges.count == 2)
    #expect(try Self.set("ffff::/16", "ffff:ffff::/32").ranges.count == 1)
    #expect(try Self.set("255.255.255.0/24", "255.255.255.128/25").ranges.count == 1)
    #expect(all.subtracting(all).isEmpty)
  }

  @Test("numbers stop at the maximum")
  func counting() throws {
    let most = UInt128(Int.max)
    #expect(AddressSet().count(atMost: most) == 0)
    #expect(try Self.set("10.0.0.0/24", "10.0.0.128/25").count(atMost: most) == 256)
    #expect(try Self.set("fd00::/65").count(atMost: most) == most)
    #expect(try Self.set("fd00::/66").count(atMost: most) == 1 << 62)
    #expect(try Self.set("fd00::/66", "fd01::/66").count(atMost: most) == most)
    #expect(try Self.set("::/0").count() == .max)
    #expect(try Self.set("::/0", "0.0.0.0/0").count() == .max)
    #expect(try Self.set("::/1").count() == 1 << 127)
  }

  @Test("a hole is cut out, an end is cut off, and what is not there changes nothing")
  func subtracting() throws {
    let network = try Self.set("10.0.0.0/24")
    #expect(network.subtracting(try Self.set("10.0.0.4/30")).description == "10.0.0.0-10.0.0.3 10.0.0.8-10.0.0.255")
    #expect(network.subtracting(try Self.set("10.0.0.0/25")).description == "10.0.0.128-10.0.0.255")
    #expect(network.subtracting(try Self.set("10.0.0.128/25")).description == "10.0.0.0-10.0.0.127")
    #expect(network.subtracting(try Self.set("10.0.1.0/24", "9.0.0.0/8", "fd00::/8")) == network)
    #expect(network.subtracting(try Self.set("10.0.0.0/8")).isEmpty)
    #expect(try Self.set("0.0.0.0/0").subtracting(Self.set("0.0.0.0/1")).description == "128.0.0.0-255.255.255.255")
  }

  @Test("81: duplicates and halves are pruned, once and for all")
  func pruning() throws {
    let pruned = try Self.set("10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25", "11.0.0.0/8")
    #expect(pruned == (try Self.set("10.0.0.0/24", "11.0.0.0/8")))
    #expect(pruned.union(pruned) == pruned)
  }

  @Test("every operation agrees with counting address by address")
  func againstCounting() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<2000 {
      let left = Self.networks(&generator)
      let right = Self.networks(&generator)
      let (one, two) = (AddressSet(left), AddressSet(right))
      for number in Self.base...Self.base + 70 {
        let address = IPAddress(v4: number)
        let isInOne = left.contains { $0.contains(address) }
        let isInTwo = right.contains { $0.contains(address) }
        #expect(one.contains(address) == isInOne, "seed \(seed)")
        #expect(one.union(two).contains(address) == (isInOne || isInTwo), "seed \(seed)")
        #expect(one.intersection(two).contains(address) == (isInOne && isInTwo), "seed \(seed)")
        #expect(one.subtracting(two).contains(address) == (isInOne && !isInTwo), "seed \(seed)")
      }
      for result in [one, one.union(two), one.intersection(two), one.subtracting(two)] {
        try Self.checkInvariants(result)
      }
      #expect(one.count() == one.subtracting(two).count() + one.intersection(two).count(), "seed \(seed)")
    }
  }

  private static let base: UInt32 = 0x0A00_0000

  private static func networks(_ generator: inout SeededGenerator) -> [CIDR] {
    (0..<Int.random(in: 0...5, using: &generator)).compactMap { _ in
      let length = Int.random(in: 27...32, using: &generator)
      return CIDR(IPAddress(v4: base + UInt32.random(in: 0..<64, using: &generator)), prefixLength: length)
    }
  }

  private static func checkInvariants(_ set: AddressSet) throws {
    for (range, next) in zip(set.ranges, set.ranges.dropFirst()) {
      let following = try #require(range.last.advanced(by: 1))
      #expect(following < next.first)
    }
  }
}
