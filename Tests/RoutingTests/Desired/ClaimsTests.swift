import IPAddressing
import Testing

@testable import Routing

@Suite("From blocks to claims")
struct ClaimsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var block: String
    var host: String?
    var allocations: [(String, String?)] = []
    var owners: [String: String] = [:]
    var warnings = 0

    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "an empty block of a node", block: "10.65.1.0/26", host: "n1", owners: ["10.65.1.0/26": "n1"]),
    Case(
      name: "an address of the block's own node", block: "10.65.1.0/26", host: "n1", allocations: [("10.65.1.5", "n1")],
      owners: ["10.65.1.0/26": "n1"]),
    Case(
      name: "a borrowed address", block: "10.65.1.0/26", host: "n1",
      allocations: [("10.65.1.5", "n1"), ("10.65.1.9", "n3")], owners: ["10.65.1.0/26": "n1", "10.65.1.9/32": "n3"]),
    Case(
      name: "a block that no node has, with addresses left", block: "10.65.1.0/26",
      allocations: [("10.65.1.5", "n1"), ("10.65.1.9", "n3")], owners: ["10.65.1.5/32": "n1", "10.65.1.9/32": "n3"]),
    Case(name: "a block that no node has, empty", block: "10.65.1.0/26"),
    Case(
      name: "an address without a node", block: "10.65.1.0/26", host: "n1",
      allocations: [("10.65.1.5", nil), ("10.65.1.6", "")], owners: ["10.65.1.0/26": "n1"], warnings: 2),
    Case(
      name: "a block of no node by name", block: "10.65.1.0/26", host: "virtual:lb", allocations: [("10.65.1.5", "n2")],
      owners: ["10.65.1.0/26": "virtual:lb", "10.65.1.5/32": "n2"]),
    Case(
      name: "a single address that its node uses", block: "10.65.1.5/32", host: "n1",
      allocations: [("10.65.1.5", "n1")],
      owners: ["10.65.1.5/32": "n1"]),
    Case(
      name: "a single address that another node uses", block: "10.65.1.5/32", host: "n1",
      allocations: [("10.65.1.5", "n2")], owners: ["10.65.1.5/32": "n2"]),
    Case(name: "a single address, unused", block: "10.65.1.5/32", host: "n1", owners: ["10.65.1.5/32": "n1"]),
    Case(
      name: "a single IPv6 address that another node uses", block: "fd65::5/128", host: "n1",
      allocations: [("fd65::5", "n2")], owners: ["fd65::5/128": "n2"]),
    Case(
      name: "an address that is not in the block", block: "10.65.1.0/26", host: "n1",
      allocations: [("10.65.1.64", "n2"), ("fd65::1", "n2")], owners: ["10.65.1.0/26": "n1"], warnings: 2),
    Case(
      name: "a block written with host bits", block: "10.65.1.9/26", host: "n1", allocations: [("10.65.1.9", "n2")],
      owners: ["10.65.1.0/26": "n1", "10.65.1.9/32": "n2"]),
  ]

  @Test("R-4: the block itself says which node has what", arguments: cases)
  func block(of test: Case) throws {
    let allocations = try test.allocations.map { Claims.Allocation(try address($0.0), node: $0.1) }
    let reading = Claims.block(try cidr(test.block), host: test.host, allocations: allocations)
    var owners: [CIDR: String] = [:]
    for (destination, owner) in test.owners { owners[try cidr(destination)] = owner }
    #expect(reading.claim?.owners == owners)
    #expect(reading.warnings.count == test.warnings)
  }

  @Test("a block that is marked as deleted is gone, whatever it has")
  func deleted() throws {
    let allocations = [Claims.Allocation(try address("10.65.1.5"), node: "n2")]
    let reading = Claims.block(try cidr("10.65.1.0/26"), host: "n1", allocations: allocations, isDeleted: true)
    #expect(reading == .init(claim: nil))
  }

  @Test("a warning names the address, and what to do")
  func words() throws {
    let allocations = [Claims.Allocation(try address("10.65.1.5"), node: nil)]
    let reading = Claims.block(try cidr("10.65.1.0/26"), host: "n1", allocations: allocations)
    let warning = try #require(reading.warnings.first).description
    #expect(warning.contains("10.65.1.5") && warning.contains("record its node"))
  }

  @Test("a range of a node is the node's, each once")
  func ranges() throws {
    let range = try cidr("10.65.1.0/24")
    #expect(
      Claims.ranges([range, try cidr("10.65.1.7/24")], of: "n1") == [range: Claim(owners: [range: "n1"])])
  }
}
