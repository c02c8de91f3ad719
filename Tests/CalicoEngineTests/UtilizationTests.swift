import CalicoModel
import IPAddressing
import JSON
import TestSupport
import Testing

@testable import CalicoEngine

@Suite("Utilisation of pools and blocks")
struct UtilizationTests {
  private static func pool(_ cidr: String, name: String = "pool", disabled: Bool = false) throws -> IPPool {
    let document: JSON = ["spec": ["cidr": .string(cidr), "disabled": .bool(disabled)]]
    return try IPPool(decoding: document.encoded(), name: name)
  }

  private static func block(_ cidr: String, holding addresses: [String] = []) throws -> IPAMBlock {
    var block = IPAMBlock(
      cidr: try #require(CIDR(cidr)), owner: BlockOwner(.host, "node1"), time: Timestamp(seconds: 1000))
    let ordinals = addresses.compactMap { IPAddress($0) }.compactMap { block.ordinal(of: $0) }
    // Written and read again, so that nothing but the stored form is relied on.
    let text = try JSON(parsing: block.encoded())
    var document = try #require(text.objectValue)
    document["allocations"] = .array((0..<block.size).map { ordinals.contains($0) ? 0 : .null })
    document["unallocated"] = .array((0..<block.size).filter { !ordinals.contains($0) }.map { .number(JSONNumber($0)) })
    document["attributes"] = ordinals.isEmpty ? [] : [["handle_id": "h"]]
    block = try IPAMBlock(decoding: JSON.object(document).encoded(), expected: block.cidr)
    return block
  }

  private static func reserved(_ cidrs: [String]) throws -> ReservedAddresses {
    var reserved = ReservedAddresses()
    let document: JSON = ["spec": ["reservedCIDRs": .array(cidrs.map { .string($0) })]]
    try reserved.add(decoding: document.encoded())
    return reserved
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var reserved: [String]
    var pool: Utilization
    var block: Utilization
    var testDescription: String { reserved.joined(separator: " ") }
  }

  @Test(
    "12: addresses, reservations and what is left, of a /24 with one block that holds one address",
    arguments: [
      Case(
        reserved: [], pool: Utilization(capacity: 256, inUse: 1, reserved: 0, available: 255),
        block: Utilization(capacity: 64, inUse: 1, reserved: 0, available: 63)),
      Case(
        reserved: ["10.0.0.32/30"], pool: Utilization(capacity: 256, inUse: 1, reserved: 4, available: 251),
        block: Utilization(capacity: 64, inUse: 1, reserved: 4, available: 59)),
      Case(
        reserved: ["10.0.0.128/25"], pool: Utilization(capacity: 256, inUse: 1, reserved: 128, available: 127),
        block: Utilization(capacity: 64, inUse: 1, reserved: 0, available: 63)),
      Case(
        reserved: ["10.0.0.5/32"], pool: Utilization(capacity: 256, inUse: 1, reserved: 1, available: 255),
        block: Utilization(capacity: 64, inUse: 1, reserved: 1, available: 63)),
      Case(
        reserved: ["10.0.0.0/25", "10.0.0.5/32", "10.0.0.64/26"],
        pool: Utilization(capacity: 256, inUse: 1, reserved: 128, available: 128),
        block: Utilization(capacity: 64, inUse: 1, reserved: 64, available: 0)),
    ])
  func behaviour12(example: Case) throws {
    let report = UtilizationReport(
      pools: [try Self.pool("10.0.0.0/24")], reserved: try Self.reserved(example.reserved),
      blocks: [try Self.block("10.0.0.0/26", holding: ["10.0.0.5"])])
    #expect(report.pools[0].numbers == example.pool)
    #expect(report.pools[0].blocks.map(\.numbers) == [example.block])
    #expect(report.pools[0].cidr == "10.0.0.0/24")
  }

  struct Space: Sendable, CustomTestStringConvertible {
    var pool = "10.0.0.0/24"
    var reserved: [String] = []
    var blocks: [String] = []
    var capacity: Int
    var taken: Int
    var outside: Int
    var testDescription: String { "\(pool) without \(reserved) and blocks \(blocks)" }
  }

  @Test(
    "82: the parts of a pool",
    arguments: [
      Space(capacity: 256, taken: 0, outside: 256),
      Space(reserved: ["10.0.0.0/30"], capacity: 256, taken: 4, outside: 252),
      Space(reserved: ["10.0.0.0/25", "10.0.0.5/32", "10.0.0.64/26"], capacity: 256, taken: 128, outside: 128),
      Space(reserved: ["10.0.0.0/16"], capacity: 256, taken: 256, outside: 0),
      Space(reserved: ["10.1.0.0/24", "fd00::/8"], capacity: 256, taken: 0, outside: 256),
      Space(blocks: ["10.0.0.0/26", "10.0.0.64/26"], capacity: 256, taken: 0, outside: 128),
      Space(reserved: ["10.0.0.4/30"], blocks: ["10.0.0.0/26"], capacity: 256, taken: 4, outside: 192),
      Space(reserved: ["10.0.0.128/25"], blocks: ["10.0.0.0/26"], capacity: 256, taken: 128, outside: 64),
      Space(pool: "fd00::/120", reserved: ["fd00::/126"], capacity: 256, taken: 4, outside: 252),
      Space(pool: "fd00::/8", reserved: ["fd00::/8"], capacity: .max, taken: .max, outside: 0),
      Space(pool: "fd00::/8", capacity: .max, taken: 0, outside: .max),
    ])
  func behaviour82(space: Space) throws {
    let parts = PoolSpace(
      CIDR(space.pool), reserved: AddressSet(try Self.reserved(space.reserved).cidrs),
      blocks: try space.blocks.map { try #require(CIDR($0)) })
    #expect(parts.capacity == space.capacity)
    #expect(parts.reserved == space.taken)
    #expect(parts.outsideBlocks == space.outside)
  }

  @Test("82: entries are addresses or networks, with blanks; what is neither is passed over")
  func behaviour82Parsing() throws {
    let reserved = try Self.reserved(["10.1.0.1", "fd00::1", " 10.2.0.0/16 ", "", "nonsense", "10.0.0.0/33"])
    #expect(reserved.cidrs.map(\.description) == ["10.1.0.1/32", "fd00::1/128", "10.2.0.0/16"])
  }

  @Test("a large pool with blocks saturates, where the original wraps round")
  func saturation() throws {
    let report = UtilizationReport(
      pools: [try Self.pool("fd00:10:100::/64")],
      blocks: [try Self.block("fd00:10:100::c0/122"), try Self.block("fd00:10:100::/122", holding: ["fd00:10:100::1"])])
    #expect(
      report.pools[0].numbers == Utilization(capacity: .max, inUse: 1, reserved: 0, available: .max))
  }

  @Test("a block is its first pool's, and that of no pool is under a pool that is none")
  func attribution() throws {
    let pools = [
      try Self.pool("10.0.0.0/25", name: "a", disabled: true), try Self.pool("10.0.0.0/24", name: "b"),
      try Self.pool("not a network", name: "c"),
    ]
    let blocks = try ["10.0.0.0/26", "10.0.0.128/26", "10.9.0.0/26", "fd00::/122"].map { try Self.block($0) }
    let report = UtilizationReport(pools: pools, blocks: blocks)
    #expect(report.pools.map(\.name) == ["a", "b", "c", PoolUtilization.orphansName])
    #expect(
      report.pools.map { $0.blocks.map(\.cidr.description) } == [
        ["10.0.0.0/26"], ["10.0.0.128/26"], [], ["10.9.0.0/26"],
      ])
    #expect(report.pools[3].numbers == Utilization())
    #expect(report.pools[3].isOrphans)
    #expect(report.pools[3].cidr == "0.0.0.0/0")
    #expect(report.pools[2].numbers == Utilization())
    // What an earlier pool took is not free in the later one either way: only its own blocks are taken off.
    #expect(report.pools[1].numbers.available == 256)
  }

  @Test("asked for by name or by the text of the range, and then without the blocks of no pool")
  func selection() throws {
    let pools = [try Self.pool("10.0.0.0/24", name: "a"), try Self.pool("10.1.0.1/24", name: "b")]
    let blocks = [try Self.block("10.9.0.0/26")]
    #expect(UtilizationReport(pools: pools, requested: ["a"], blocks: blocks).pools.map(\.name) == ["a"])
    #expect(UtilizationReport(pools: pools, requested: ["10.1.0.1/24"], blocks: blocks).pools.map(\.name) == ["b"])
    #expect(UtilizationReport(pools: pools, requested: ["10.1.0.0/24"], blocks: blocks).pools.isEmpty)
  }

  @Test("the recorded report of a pool with reservations")
  func recorded() throws {
    let blocks = [
      try Self.block("10.101.0.0/30", holding: ["10.101.0.2", "10.101.0.3"]),
      try Self.block("10.101.0.12/30", holding: ["10.101.0.12", "10.101.0.13"]),
      try Self.block("10.101.0.4/30", holding: ["10.101.0.5"]),
      try Self.block("10.101.0.8/30", holding: ["10.101.0.8", "10.101.0.10", "10.101.0.11"]),
    ]
    let reserved = try Self.reserved(["10.101.0.0/31", "10.101.0.4/30", "10.101.0.9/32", "10.101.0.14/31"])
    let report = UtilizationReport(pools: [try Self.pool("10.101.0.0/28")], reserved: reserved, blocks: blocks)
    #expect(report.pools[0].numbers == Utilization(capacity: 16, inUse: 8, reserved: 9, available: 0))
    #expect(report.pools[0].blocks.map(\.numbers.reserved) == [2, 2, 4, 1])
    #expect(report.pools[0].blocks.allSatisfy { $0.numbers.available == 0 })
  }
}
