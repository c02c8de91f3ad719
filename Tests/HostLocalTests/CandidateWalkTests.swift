import IPAddressing
import TestSupport
import Testing

@testable import HostLocal

/// The walk as the host-local specification words it in section 3.3, one address after the other.
private struct NaiveWalk {
  let set: RangeSet
  let cursor: IPAddress?

  private struct Position: Equatable {
    var range: Int
    var address: IPAddress
  }

  private func successor(of position: Position) -> Position {
    let range = set.ranges[position.range]
    if position.address == range.window.last {
      let next = (position.range + 1) % set.ranges.count
      return Position(range: next, address: set.ranges[next].window.first)
    }
    let next = IPAddress(position.address.family, number: position.address.number + 1)
    return Position(range: position.range, address: next ?? range.window.last)
  }

  /// Every address that is tried, in order: gateways of the position's own range are passed over.
  func candidates() -> [IPAddress] {
    var position = Position(range: 0, address: set.ranges[0].window.first)
    if let cursor, let home = set.ranges.firstIndex(where: { $0.window.contains(cursor) }) {
      position = successor(of: Position(range: home, address: cursor))
    }
    let stop = position
    var tried: [IPAddress] = []
    repeat {
      if position.address != set.ranges[position.range].gateway { tried.append(position.address) }
      position = successor(of: position)
    } while position != stop
    return tried
  }
}

@Suite("The order of candidates")
struct CandidateWalkTests {
  /// Tries addresses as an allocation does: the first of each stretch, then the first of what is left of it.
  private static func candidates(
    _ set: RangeSet,
    after cursor: IPAddress?,
    taken: Set<IPAddress> = []
  ) -> [IPAddress] {
    var tried: [IPAddress] = []
    for stretch in CandidateWalk(set, after: cursor) {
      var rest: CandidateWalk.Stretch? = stretch
      while let current = rest {
        let candidate = current.firstCandidate { range in
          var address = range.first
          while taken.contains(address) {
            guard address < range.last, let next = address.advanced(by: 1) else { return nil }
            address = next
          }
          return address
        }
        guard let candidate else { break }
        tried.append(candidate)
        rest = current.rest(after: candidate)
      }
    }
    return tried
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var set: String
    var cursor: String?
    var order: String
    var testDescription: String { "\(set) after \(cursor ?? "nothing")" }
  }

  @Test(
    "the walk begins behind the cursor and ends at it",
    arguments: [
      Case(set: "192.168.1.0/29", order: "2 3 4 5 6"),
      Case(set: "192.168.1.0/29", cursor: "192.168.1.6", order: "2 3 4 5 6"),
      Case(set: "192.168.1.0/29", cursor: "192.168.1.3", order: "4 5 6 2 3"),
      Case(set: "192.168.1.0/29", cursor: "192.168.1.2", order: "3 4 5 6 2"),
      Case(set: "192.168.1.0/29", cursor: "192.168.1.5", order: "6 2 3 4 5"),
      Case(set: "192.168.1.0/29", cursor: "192.168.1.1", order: "2 3 4 5 6"),
      Case(set: "192.168.1.0/29", cursor: "192.168.1.0", order: "2 3 4 5 6"),
      Case(set: "192.168.1.0/29", cursor: "192.168.1.7", order: "2 3 4 5 6"),
      Case(set: "192.168.1.0/29", cursor: "192.168.1.128", order: "2 3 4 5 6"),
      Case(set: "192.168.1.0/29", cursor: "2001:db8::3", order: "2 3 4 5 6"),
      Case(set: "192.168.1.0/30", order: "2"),
      Case(set: "192.168.1.0/30", cursor: "192.168.1.2", order: "2"),
      Case(set: "192.168.1.0/29 192.168.1.0-192.168.1.7", order: "0 2 3 4 5 6 7"),
      Case(set: "192.168.1.0/29 192.168.1.0-192.168.1.7", cursor: "192.168.1.7", order: "0 2 3 4 5 6 7"),
      Case(set: "192.168.1.0/29 192.168.1.3-192.168.1.5", cursor: "192.168.1.4", order: "5 3 4"),
      Case(set: "192.168.1.0/29 192.168.1.1-192.168.1.6 192.168.1.4", cursor: "192.168.1.3", order: "5 6 1 2 3"),
      Case(set: "192.168.1.0/29 192.168.1.1-192.168.1.6 192.168.1.4", cursor: "192.168.1.4", order: "5 6 1 2 3"),
      Case(set: "192.168.1.0/29 192.168.1.1-192.168.1.6 192.168.1.6", cursor: "192.168.1.5", order: "1 2 3 4 5"),
      Case(set: "192.168.1.0/29 192.168.1.1-192.168.1.6 10.9.9.9", order: "1 2 3 4 5 6"),
      Case(set: "192.168.1.0/29 192.168.1.1-192.168.1.6 2001:db8::1", cursor: "192.168.1.3", order: "4 5 6 1 2 3"),
      Case(set: "192.168.1.0/29 192.168.1.5-192.168.1.5 192.168.1.5", order: ""),
      Case(set: "192.168.1.0/29 192.168.1.5-192.168.1.5 192.168.1.5", cursor: "192.168.1.5", order: ""),
    ])
  func oneRange(example: Case) throws {
    let set = try #require(try ConfigurationDocument.sets(example.set).first)
    let expected = example.order.split(separator: " ").compactMap { IPAddress("192.168.1.\($0)") }
    #expect(Self.candidates(set, after: example.cursor.flatMap { IPAddress($0) }) == expected)
  }

  @Test(
    "behind the end of a range comes the start of the next, behind the last one the first",
    arguments: [
      Case(
        set: "192.168.1.0/30 192.168.1.0-192.168.1.3,192.168.2.0/30 192.168.2.0-192.168.2.3",
        order: "1.0 1.2 1.3 2.0 2.2 2.3"
      ),
      Case(
        set: "192.168.1.0/30 192.168.1.0-192.168.1.3,192.168.2.0/30 192.168.2.0-192.168.2.3",
        cursor: "192.168.1.3",
        order: "2.0 2.2 2.3 1.0 1.2 1.3"
      ),
      Case(
        set: "192.168.1.0/30 192.168.1.0-192.168.1.3,192.168.2.0/30 192.168.2.0-192.168.2.3",
        cursor: "192.168.2.3",
        order: "1.0 1.2 1.3 2.0 2.2 2.3"
      ),
      Case(set: "192.168.2.0/30,192.168.1.0/30,192.168.3.0/30", order: "2.2 1.2 3.2"),
      Case(set: "192.168.2.0/30,192.168.1.0/30,192.168.3.0/30", cursor: "192.168.1.2", order: "3.2 2.2 1.2"),
      Case(set: "192.168.2.0/30,192.168.1.0/30,192.168.3.0/30", cursor: "192.168.3.1", order: "3.2 2.2 1.2"),
      Case(
        set: "192.168.1.0/29,192.168.2.0/29 192.168.2.4-192.168.2.5",
        cursor: "192.168.1.4",
        order: "1.5 1.6 2.4 2.5 1.2 1.3 1.4"
      ),
      Case(
        set: "192.168.1.0/29 192.168.1.2-192.168.1.4 192.168.2.2,192.168.2.0/29 192.168.2.2-192.168.2.3 192.168.1.3",
        order: "1.2 1.3 1.4 2.2 2.3"
      ),
    ])
  func manyRanges(example: Case) throws {
    let set = try #require(try ConfigurationDocument.sets(example.set).first)
    let expected = example.order.split(separator: " ").compactMap { IPAddress("192.168.\($0)") }
    #expect(Self.candidates(set, after: example.cursor.flatMap { IPAddress($0) }) == expected)
  }

  @Test("a taken address is leapt over, also beside the gateway")
  func taken() throws {
    let set = try #require(try ConfigurationDocument.sets("10.0.0.0/29 10.0.0.1-10.0.0.6 10.0.0.3").first)
    func free(_ taken: String) -> [String] {
      let addresses = Set(taken.split(separator: " ").compactMap { IPAddress("10.0.0.\($0)") })
      return Self.candidates(set, after: IPAddress("10.0.0.4"), taken: addresses).map(\.description)
    }
    #expect(free("5") == ["10.0.0.6", "10.0.0.1", "10.0.0.2", "10.0.0.4"])
    #expect(free("1 2") == ["10.0.0.5", "10.0.0.6", "10.0.0.4"])
    #expect(free("1 2 4 5 6").isEmpty)
    #expect(free("1 2 3 5 6") == ["10.0.0.4"])
  }

  // Upstream turns such addresses into IPv4 (host-local specification, section 8, number 9).
  @Test("a walk in a small IPv6 number stays in IPv6")
  func smallV6() throws {
    let set = try #require(try ConfigurationDocument.sets("::100:0/126").first)
    #expect(Self.candidates(set, after: nil).map(\.description) == ["::100:2", "::100:3"])
  }

  @Test("a walk ends at the last address there is")
  func endOfSpace() throws {
    let v4 = try #require(try ConfigurationDocument.sets("255.255.255.252/30 255.255.255.253-255.255.255.255").first)
    #expect(
      Self.candidates(v4, after: IPAddress("255.255.255.255")).map(\.description)
        == ["255.255.255.254", "255.255.255.255"])
    let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    let v6 = try #require(try ConfigurationDocument.sets("\(last):fffc/126").first)
    #expect(
      Self.candidates(v6, after: IPAddress("\(last):ffff")).map(\.description) == ["\(last):fffe", "\(last):ffff"])
  }

  @Test("stretches cover each address once, however large the ranges")
  func stretches() throws {
    let set = try #require(try ConfigurationDocument.sets("2001:db8::/64,2001:db8:1::/64").first)
    let cursor = try ConfigurationDocument.address("2001:db8::5")
    let stretches = CandidateWalk(set, after: cursor).map { "\($0.addresses)" }
    #expect(
      stretches == [
        "2001:db8::6-2001:db8::ffff:ffff:ffff:ffff", "2001:db8:1::1-2001:db8:1:0:ffff:ffff:ffff:ffff",
        "2001:db8::1-2001:db8::5",
      ])
    #expect(CandidateWalk(set, after: cursor).map(\.range) == [set.ranges[0], set.ranges[1], set.ranges[0]])
  }

  /// A set of up to four ranges of one family with small windows in subnets of their own, in any order.
  private static func randomSet(using generator: inout SeededGenerator) throws -> RangeSet {
    let isV4 = Bool.random(using: &generator)
    let count = Int.random(in: 1...4, using: &generator)
    let texts = (0..<4).shuffled(using: &generator).prefix(count).map { subnet in
      let prefix = isV4 ? "10.0.\(subnet)." : "2001:db8:\(subnet)::"
      let start = Int.random(in: 0...9, using: &generator)
      let end = Int.random(in: start...9, using: &generator)
      let gateway = Int.random(in: 0...9, using: &generator)
      let gatewaySubnet = Int.random(in: 0...3, using: &generator)
      let gatewayPrefix =
        Bool.random(using: &generator) ? prefix : isV4 ? "10.0.\(gatewaySubnet)." : "2001:db8:\(gatewaySubnet)::"
      return "\(prefix)\(isV4 ? "0/24" : "/64") \(prefix)\(start)-\(prefix)\(end) \(gatewayPrefix)\(gateway)"
    }
    return try #require(try ConfigurationDocument.sets(texts.joined(separator: ",")).first)
  }

  @Test("the walk is that of the specification's words", arguments: [nil, 1, 2] as [UInt64?])
  func randomSets(fixedSeed: UInt64?) throws {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for round in 0..<2_000 {
      let set = try Self.randomSet(using: &generator)
      var cursor: IPAddress?
      if round % 5 > 0, let range = set.ranges.randomElement(using: &generator) {
        let offset = UInt128.random(in: 0...11, using: &generator)
        cursor = range.subnet.network.advanced(by: offset)
      }
      let expected = NaiveWalk(set: set, cursor: cursor).candidates()
      let taken = Set(expected.filter { _ in round % 2 == 0 && Bool.random(using: &generator) })
      let found = Self.candidates(set, after: cursor, taken: taken)
      #expect(
        found == expected.filter { !taken.contains($0) },
        "seed \(seed), round \(round): \(set), cursor \(cursor?.description ?? "none")")
    }
  }
}
