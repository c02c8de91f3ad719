import CalicoModel
import IPAddressing
import Testing

@testable import PoolMap

@Suite("A mapped pool")
struct MappedPoolTests {
  @Test("has a cell for each block it has room for, in the order of addresses")
  func cells() throws {
    let map = try Example.small()
    #expect(map.cells.map(\.use) == [.used, .borrowed, .free, .affine, .used, .free, .free, .free])
    #expect(map.cells[7].counts[.reserved] == 4)
    #expect(map.cells.map(\.cidr.description).first == "10.65.0.0/29")
    #expect(map.counts.total == 64)
    #expect(map.cellCounts[.used] == 2)
    #expect(map.owners == ["node-1", "node-2", "node-3"])
  }

  @Test("counts every address once, whatever overlaps")
  func sums() throws {
    let map = try Example.map(
      Example.pool("10.65.0.0/24", 26), [Example.block("10.65.0.64/26", "node-1", pods: 10)],
      reserved: ["10.65.0.0/25", "10.65.0.96/27", "10.65.0.0/28", "10.66.0.0/16"])
    #expect(map.counts[.used] == 10)
    #expect(map.counts[.reserved] == 118)
    #expect(map.counts[.free] == 128)
    var cells = UseCounts()
    for cell in map.cells { cells.add(cell.counts) }
    #expect(cells == map.counts)
  }

  @Test("shows blocks of another size than the pool's are now where they are")
  func sizes() throws {
    let large = try Example.block("10.65.0.0/26", "node-1", pods: 20)
    let small = try [Example.block("10.65.0.64/30", "node-2", pods: 1), Example.block("10.65.0.72/30", "node-3")]
    let map = try Example.map(Example.pool("10.65.0.0/24", 28), small + [large])
    #expect(map.cells.prefix(6).map(\.use) == [.used, .used, .free, .free, .used, .free])
    #expect(map.cells[1].counts[.used] == 4)
    #expect(
      map.cells[4].counts
        == { () -> UseCounts in
          var counts = UseCounts(11, .free)
          counts[.used] = 1
          counts[.affine] = 4
          return counts
        }())
    #expect(
      MapWording.label(map.cells[1], of: map) == "10.65.0.16/28, part of block 10.65.0.0/26, node-1: 4 of 16 in use")
    #expect(MapWording.label(map.cells[4], of: map) == "10.65.0.64/28, 2 blocks of 2 nodes: 1 of 16 in use")
    #expect(map.counts.total == 256)
  }

  @Test("leaves out blocks that lie inside others, or in other pools")
  func overlaps() throws {
    let blocks = try [
      Example.block("10.65.0.0/28", "node-1", pods: 1), Example.block("10.65.0.0/26", "node-2", pods: 1),
      Example.block("10.66.0.0/26", "node-3", pods: 1),
    ]
    let map = try Example.map(Example.pool("10.65.0.0/24", 26), blocks)
    #expect(map.blocks.map(\.owner) == ["node-2"])
  }

  @Test("is drawn in part")
  func part() throws {
    let pool = try Example.pool("10.65.0.0/16", 26)
    let blocks = try [
      Example.block("10.65.1.0/26", "node-1", pods: 3), Example.block("10.65.2.0/26", "node-2", pods: 3),
    ]
    let one = try Example.map(pool, part: "10.65.1.0/26", blocks)
    #expect(one.isSmall)
    #expect(one.counts.total == 64)
    #expect(one.blocks.map(\.owner) == ["node-1"])
    #expect(MapWording.size(one) == "10.65.1.0/26 · one block of 64 addresses")
    let several = try Example.map(pool, part: "10.65.1.0/24", blocks)
    #expect(several.cells.count == 4)
  }

  @Test("with more blocks than can be drawn has a cell for each that exists, and says so")
  func existing() throws {
    let blocks = try ["2001:db8:1::/122", "2001:db8:ffff::40/122"].map { try Example.block($0, "node-1", pods: 1) }
    let map = try Example.map(Example.pool("2001:db8::/32", 122), blocks)
    #expect(!map.scale.isComplete)
    #expect(map.cells.map(\.cidr.description) == ["2001:db8:1::/122", "2001:db8:ffff::40/122"])
    #expect(map.counts.total == 1 << 96)
    #expect(map.counts[.used] == 2)
    let text = try #require(MapWording.limits(map))
    #expect(text.hasPrefix("The pool has room for 2^90 blocks, more than can be drawn: only those that exist are"))
    #expect(text.hasSuffix("Cells side by side need not be neighbours."))
  }

  @Test("with too many existing blocks has cells that stand for several, of the smallest size that can be drawn")
  func aggregated() throws {
    let blocks = try (0..<20).map { try Example.block("10.65.\($0).0/26", "node-\($0)", pods: 64) }
    let map = try Example.map(Example.pool("10.65.0.0/16", 26), blocks, limit: 16)
    #expect(map.scale.prefixLength == 23)
    #expect(!map.scale.isComplete)
    #expect(map.cells.count == 10)
    #expect(MapWording.label(map.cells[0], of: map) == "10.65.0.0/23, 2 blocks of 2 nodes: 128 of 512 in use")
    let dense = try (0..<64).map { try Example.block("10.65.\($0 * 4).0/26", "node-1", pods: 1) }
    let complete = try Example.map(Example.pool("10.65.0.0/16", 26), dense, limit: 16)
    #expect(complete.scale.prefixLength == 20)
    #expect(complete.scale.isComplete)
    #expect(MapWording.limits(complete)?.contains("each cell is a /20 with room for 64 blocks") == true)
  }

  @Test("of all of IPv6 is counted without overflow")
  func everything() throws {
    let map = try Example.map(Example.pool("::/0", 122), [Example.block("2001:db8::/122", "node-1", pods: 64)])
    #expect(map.counts.total == .max)
    #expect(NumberText.count(map.counts.total) == "2^128")
    #expect(map.cells.count == 1)
  }

  @Test(
    "whose range is none, or cannot be cut into blocks of its size, cannot be drawn",
    arguments: [("nonsense", 26), ("10.65.0.0/26", 24), ("10.65.0.0/8", 16)])
  func unusable(_ range: String, _ blockSize: Int) throws {
    #expect(MappedPool(try Example.pool(range, blockSize), blocks: [], reserved: AddressSet()) == nil)
  }

  @Test("says what keeps it from giving out addresses")
  func impediments() throws {
    let map = try Example.map(Example.pool("10.65.0.0/24", 26, more: #","disabled":true"#), [])
    #expect(MapWording.holding(map) == "no block exists; the pool is disabled")
  }

  @Test("is listed address by address with what is between its blocks")
  func sections() throws {
    let pool = try Example.pool("10.65.0.0/16", 26)
    let map = try Example.map(pool, [Example.block("10.65.1.0/26", "node-1")], reserved: ["10.65.0.0/30"])
    let texts = map.sections.map { section in
      switch section {
      case .block(let block): MapWording.label(block)
      case .gap(let range, let counts): MapWording.label(range, counts)
      }
    }
    #expect(
      texts == [
        "10.65.0.0 – 10.65.0.255, no block: 252 free, 4 reserved", "10.65.1.0/26, node-1: empty, 64 free",
        "10.65.1.64 – 10.65.255.255, no block: 65,216 free",
      ])
  }

  @Test("that is small is drawn to the last address, also where no block is")
  func smallSections() throws {
    let map = try Example.small()
    #expect(map.isSmall)
    let blocks = map.sections.compactMap { section -> MappedBlock? in
      guard case .block(let block) = section else { return nil }
      return block
    }
    #expect(blocks.count == 8)
    #expect(blocks.reduce(0) { $0 + $1.uses.count } == 64)
    #expect(blocks.map(\.state).filter { $0 == .absent }.count == 4)
  }

  @Test("has rows that begin at round addresses", arguments: [(1, 16), (64, 16), (257, 32), (1024, 32), (4096, 64)])
  func columns(_ cells: Int, _ columns: Int) {
    #expect(MappedPool.columns(for: cells, atMost: 64) == columns)
    #expect(MappedPool.columns(for: cells, atMost: 8) == 8)
  }
}

@Suite("Counts")
struct UseCountsTests {
  @Test("are summed up as what is worth a look first")
  func summary() {
    var counts = UseCounts(60, .free)
    #expect(counts.summary == .free)
    counts[.reserved] = 4
    #expect(counts.summary == .free)
    counts[.free] = 0
    #expect(counts.summary == .reserved)
    for use in [AddressUse.affine, .cooling, .used, .borrowed, .unreadable] {
      counts[use] = 1
      #expect(counts.summary == use)
    }
  }

  @Test(
    "are full only when all is in use, and empty only when nothing is",
    arguments: [(0, 0), (1, 1), (8, 1), (9, 2), (63, 7), (64, 8)])
  func level(_ used: Int, _ level: Int) {
    var counts = UseCounts(UInt128(64 - used), .free)
    counts[.used] = UInt128(used)
    #expect(counts.level(of: 8) == level)
  }

  @Test("saturate")
  func saturation() {
    var counts = UseCounts(.max, .free)
    counts.add(1, .free)
    counts[.used] = .max
    #expect(counts.total == .max)
    #expect(counts.level(of: 8) == 8)
  }
}
