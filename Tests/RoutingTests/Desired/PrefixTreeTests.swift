import IPAddressing
import TestSupport
import Testing

@testable import Routing

@Suite("Values by prefix")
struct PrefixTreeTests {
  @Test("the longest prefix that contains one is found, and the family is told apart")
  func longest() throws {
    var tree = PrefixTree<String>()
    for text in ["0.0.0.0/0", "10.0.0.0/8", "10.65.0.0/16", "10.65.1.0/26", "::/0", "fd65::/16"] {
      tree[try cidr(text)] = text
    }
    #expect(tree.longest(containing: try cidr("10.65.1.5/32"))?.value == "10.65.1.0/26")
    #expect(tree.longest(containing: try cidr("10.65.1.0/26"))?.value == "10.65.1.0/26")
    #expect(tree.longest(containing: try cidr("10.65.1.0/25"))?.value == "10.65.0.0/16")
    #expect(tree.longest(containing: try cidr("192.0.2.1/32"))?.value == "0.0.0.0/0")
    #expect(tree.longest(containing: try cidr("fd66::/32"))?.value == "::/0")
    #expect(tree[try cidr("10.65.1.9/26")] == "10.65.1.0/26")
    #expect(tree.count == 6)
  }

  @Test("it is the same as a dictionary that is searched from end to end", arguments: [1, 2, 3, 4] as [UInt64])
  func likeDictionary(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var tree = PrefixTree<Int>()
    var expected: [CIDR: Int] = [:]
    for step in 0..<2_000 {
      let prefix = randomPrefix(&generator)
      if Bool.random(using: &generator) {
        tree[prefix] = step
        expected[prefix] = step
      } else {
        // Mostly something that is there, so that removing is what happens.
        let gone = Bool.random(using: &generator) ? prefix : expected.keys.randomElement(using: &generator) ?? prefix
        tree[gone] = nil
        expected[gone] = nil
      }
      let asked = randomPrefix(&generator)
      let containing = expected.keys.filter { $0.contains(asked) }
      let longest = containing.max { $0.prefixLength < $1.prefixLength }
      #expect(tree.longest(containing: asked)?.prefix == longest, "seed \(seed), step \(step)")
      var within: Set<CIDR> = []
      tree.forEach(within: asked) { within.insert($0).inserted && $1 == expected[$0] }
      #expect(within == Set(expected.keys.filter(asked.contains)), "seed \(seed), step \(step)")
      #expect(tree[asked] == expected[asked])
      #expect(tree.count == expected.count)
    }
    var all: [CIDR] = []
    tree.forEach { prefix, _ in all.append(prefix) }
    let sorted = expected.keys.sorted { ($0.address, $0.prefixLength) < ($1.address, $1.prefixLength) }
    #expect(all == sorted, "seed \(seed)")
    for prefix in sorted { tree[prefix] = nil }
    #expect(tree.first(within: try cidr("0.0.0.0/0")) == nil && tree.count == 0)
  }

  /// Prefixes of few bits that matter, so that they lie in each other.
  private func randomPrefix(_ generator: inout SeededGenerator) -> CIDR {
    let family: AddressFamily = Bool.random(using: &generator) ? .v4 : .v6
    let length = [0, 1, 2, 3, 7, 8, 9, family.bitWidth - 1, family.bitWidth].randomElement(using: &generator) ?? 0
    let high = UInt128.random(in: 0..<512, using: &generator) << UInt128(family.bitWidth - 9)
    let low = UInt128.random(in: 0..<4, using: &generator)
    let address = IPAddress(family, number: high | low) ?? IPAddress(v4: 0)
    return CIDR(address, prefixLength: length)?.canonical ?? CIDR(host: address)
  }
}
