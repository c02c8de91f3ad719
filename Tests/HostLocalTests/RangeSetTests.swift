import IPAddressing
import Testing

@testable import HostLocal

@Suite("Sets of ranges")
struct RangeSetTests {
  struct Membership: Sendable, CustomTestStringConvertible {
    var address: String
    var subnet: String?
    var testDescription: String { address }
  }

  @Test(
    "an address belongs to the range whose window it lies in",
    arguments: [
      Membership(address: "192.168.0.1", subnet: "192.168.0.0/24"),
      Membership(address: "192.168.0.55", subnet: "192.168.0.0/24"),
      Membership(address: "192.168.0.254", subnet: "192.168.0.0/24"),
      Membership(address: "172.16.1.10", subnet: "172.16.1.0/24"),
      Membership(address: "172.16.1.50", subnet: "172.16.1.0/24"),
      Membership(address: "192.168.0.0"),
      Membership(address: "192.168.0.255"),
      Membership(address: "172.16.1.9"),
      Membership(address: "172.16.1.51"),
      Membership(address: "192.168.99.99"),
      Membership(address: "::c0a8:37"),
    ])
  func membership(example: Membership) throws {
    let set = try #require(
      try ConfigurationDocument.sets("192.168.0.0/24,172.16.1.0/24 172.16.1.10-172.16.1.50").first)
    let address = try #require(IPAddress(example.address))
    #expect(set.range(containing: address)?.subnet.description == example.subnet)
    #expect(set.contains(address) == (example.subnet != nil))
  }

  @Test("a set is named by all its ranges, has their family, and the sum of their room")
  func sums() throws {
    let set = try #require(try ConfigurationDocument.sets("10.0.0.0/30,10.0.1.0/29").first)
    #expect(set.description == "10.0.0.1-10.0.0.2,10.0.1.1-10.0.1.6")
    #expect(set.family == .v4)
    #expect(set.capacity == 6)
    let wide = try #require(try ConfigurationDocument.sets("::/1,8000::/1").first)
    #expect(wide.family == .v6)
    #expect(wide.capacity == UInt128.max - 3)
  }

  @Test("an empty or null set is refused by its index")
  func emptySets() throws {
    #expect(try ConfigurationDocument.problem(ipam: #""ranges": [[]]"#) == "invalid range set 0: empty range set")
    #expect(try ConfigurationDocument.problem(ipam: #""ranges": [null]"#) == "invalid range set 0: empty range set")
    let second = #""ranges": [[{"subnet": "10.1.2.0/24"}], []]"#
    #expect(try ConfigurationDocument.problem(ipam: second) == "invalid range set 1: empty range set")
  }

  @Test("the index of a set counts all sources in their order")
  func indexes() throws {
    let problem = try ConfigurationDocument.problem(
      ipam: #""ranges": [[{"subnet": "10.0.2.0/24"}], [{"subnet": "10.0.3.1/24"}]], "subnet": "10.0.1.0/24""#,
      beside: #""runtimeConfig": {"ipRanges": [[{"subnet": "10.0.0.0/24"}]]}"#
    )
    #expect(problem?.hasPrefix("invalid range set 3: Network has host bits set.") == true)
  }

  struct Problem: Sendable, CustomTestStringConvertible {
    var ranges: [[String]]
    var problem: String?
    var testDescription: String { "\(ranges)" }

    /// The sets as the value of `ranges`.
    var json: String {
      let sets = ranges.map { set in "[" + set.map { "{\"subnet\": \"\($0)\"}" }.joined(separator: ",") + "]" }
      return "\"ranges\": [" + sets.joined(separator: ",") + "]"
    }
  }

  @Test(
    "a set is of one family",
    arguments: [
      Problem(ranges: [["10.1.0.0/24", "2001:db8::/64"]], problem: "invalid range set 0: mixed address families"),
      Problem(ranges: [["2001:db8::/64", "10.1.0.0/24"]], problem: "invalid range set 0: mixed address families"),
      Problem(
        ranges: [["10.0.0.0/24"], ["10.1.0.0/24", "10.2.0.0/24", "::/64"]],
        problem: "invalid range set 1: mixed address families"
      ),
      Problem(
        ranges: [["10.1.0.0/24", "2001:db8::/64", "10.2.0.1/24"]],
        problem: "invalid range set 0: mixed address families"
      ),
      Problem(
        ranges: [["10.1.0.0/24", "10.1.0.0/16", "2001:db8::/64"]],
        problem: "invalid range set 0: mixed address families"
      ),
      Problem(
        ranges: [["10.1.0.0/31", "2001:db8::/64"]],
        problem: "invalid range set 0: Network 10.1.0.0/31 too small to allocate from"
      ),
      Problem(
        ranges: [["10.1.0.0/24", "2001:db8::/127"]],
        problem: "invalid range set 0: Network 2001:db8::/127 too small to allocate from"
      ),
      Problem(ranges: [["0.0.0.0/24"], ["::/24"]]),
    ])
  func families(example: Problem) throws {
    #expect(try ConfigurationDocument.problem(ipam: example.json) == example.problem)
  }

  @Test(
    "ranges of a set do not overlap",
    arguments: [
      Problem(
        ranges: [["10.1.0.0/22", "10.1.2.0/24"]],
        problem: "invalid range set 0: subnets 10.1.0.1-10.1.3.254 and 10.1.2.1-10.1.2.254 overlap"
      ),
      Problem(
        ranges: [["192.168.2.0/24", "192.168.0.0/20"]],
        problem: "invalid range set 0: subnets 192.168.2.1-192.168.2.254 and 192.168.0.1-192.168.15.254 overlap"
      ),
      Problem(
        ranges: [["10.0.0.0/24", "10.0.0.0/24"]],
        problem: "invalid range set 0: subnets 10.0.0.1-10.0.0.254 and 10.0.0.1-10.0.0.254 overlap"
      ),
      Problem(
        ranges: [["10.0.0.0/24"], ["10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/24", "10.2.0.0/25", "10.1.0.0/25"]],
        problem: "invalid range set 1: subnets 10.1.0.1-10.1.0.254 and 10.1.0.1-10.1.0.126 overlap"
      ),
      Problem(ranges: [["10.0.0.0/24", "10.0.1.0/24"]]),
    ])
  func overlapsWithin(example: Problem) throws {
    #expect(try ConfigurationDocument.problem(ipam: example.json) == example.problem)
  }

  @Test(
    "sets do not overlap, and the first pair is named",
    arguments: [
      Problem(ranges: [["10.1.0.0/22"], ["10.1.2.0/24"]], problem: "range set 0 overlaps with 1"),
      Problem(ranges: [["192.168.2.0/24"], ["192.168.0.0/20"]], problem: "range set 0 overlaps with 1"),
      Problem(
        ranges: [["10.0.0.0/24"], ["10.1.0.0/24"], ["10.2.0.0/24"], ["10.1.0.0/25"], ["10.0.0.0/25"]],
        problem: "range set 0 overlaps with 4"
      ),
      Problem(
        ranges: [["10.0.0.0/24"], ["10.1.0.0/24", "10.2.0.0/24"], ["10.3.0.0/24", "10.2.0.0/25"]],
        problem: "range set 1 overlaps with 2"
      ),
      Problem(ranges: [["10.0.0.0/24"], ["10.0.1.0/24"], ["2001:db8::/64"], ["2001:db8:0:1::/64"]]),
    ])
  func overlapsBetween(example: Problem) throws {
    #expect(try ConfigurationDocument.problem(ipam: example.json) == example.problem)
  }

  @Test("a faulty set is reported before sets that overlap, and these after too many addresses of a family")
  func order() throws {
    let faulty = Problem(ranges: [["10.0.0.0/24"], ["10.0.0.0/24"], ["10.0.0.0/31"]]).json
    #expect(
      try ConfigurationDocument.problem(ipam: faulty)
        == "invalid range set 2: Network 10.0.0.0/31 too small to allocate from")
    let overlapping = Problem(ranges: [["10.0.0.0/24"], ["10.0.0.0/24"]]).json
    #expect(
      try ConfigurationDocument.problem(#"{"cniVersion": "0.2.0", "name": "web", "ipam": {\#(overlapping)}}"#)
        == "CNI version 0.2.0 does not support more than 1 address per family")
  }

  struct Overlap: Sendable, CustomTestStringConvertible {
    var first: String
    var second: String
    var overlaps: Bool
    var testDescription: String { "\(first) and \(second)" }
  }

  @Test(
    "ranges overlap if an end of one lies in the other",
    arguments: [
      Overlap(first: "10.0.0.0/24", second: "10.0.1.0/24", overlaps: false),
      Overlap(first: "0.0.0.0/24", second: "::/24", overlaps: false),
      Overlap(first: "10.0.0.0/24", second: "10.0.0.0/24", overlaps: true),
      Overlap(first: "10.0.0.0/20", second: "10.0.1.0/24", overlaps: true),
      Overlap(first: "10.0.0.0/24 10.0.0.1-10.0.0.127", second: "10.0.0.0/24 10.0.0.128-10.0.0.254", overlaps: false),
      Overlap(first: "10.0.0.0/24 10.0.0.1-10.0.0.127", second: "10.0.0.0/24 10.0.0.127-10.0.0.254", overlaps: true),
      Overlap(first: "10.0.0.0/24 10.0.0.5-10.0.0.5", second: "10.0.0.0/24 10.0.0.1-10.0.0.9", overlaps: true),
      Overlap(first: "10.0.0.0/24 10.0.0.5-10.0.0.5", second: "10.0.0.0/24 10.0.0.6-10.0.0.9", overlaps: false),
      Overlap(first: "2001:db8::/48", second: "2001:db8:0:5::/64", overlaps: true),
      Overlap(first: "2001:db8::/64", second: "2001:db8:0:1::/64", overlaps: false),
    ])
  func overlap(example: Overlap) throws {
    let first = try #require(try ConfigurationDocument.sets(example.first).first?.ranges.first)
    let second = try #require(try ConfigurationDocument.sets(example.second).first?.ranges.first)
    #expect(first.overlaps(second) == example.overlaps)
    #expect(second.overlaps(first) == example.overlaps)
    #expect(first.overlaps(first))
  }
}
