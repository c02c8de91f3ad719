import CalicoModel
import IPAddressing
import TestSupport
import Testing

@testable import CalicoEngine

/// Specification section 7.13, item 83.
@Suite("The order of blocks")
struct BlockOrderTests {
  struct Shape: Sendable {
    var pool: CIDR
    var prefixLength: Int
    var count: Int
  }

  private static let shapes = [
    Shape(pool: "10.0.0.0/24", prefixLength: 26, count: 4),
    Shape(pool: "fd00::/120", prefixLength: 122, count: 4),
    Shape(pool: "10.0.0.0/16", prefixLength: 20, count: 16),
    Shape(pool: "fd00::/114", prefixLength: 116, count: 4),
    Shape(pool: "10.0.0.0/24", prefixLength: 32, count: 256),
    Shape(pool: "fd00::/120", prefixLength: 128, count: 256),
    Shape(pool: "255.255.255.0/24", prefixLength: 26, count: 4),
    Shape(pool: "10.0.0.0/26", prefixLength: 26, count: 1),
    Shape(pool: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00/120", prefixLength: 128, count: 256),
  ]

  private func walk(_ shape: Shape, host: String, skipping reserved: ReservedAddresses = .init()) throws -> [CIDR] {
    let order = BlockOrder(pool: shape.pool, prefixLength: shape.prefixLength, start: .init(host: host))
    var walk = BlockWalk(try #require(order))
    var blocks: [CIDR] = []
    while let block = walk.next(skipping: reserved), blocks.count <= shape.count { blocks.append(block) }
    return blocks
  }

  @Test("83: every block of a pool comes once", arguments: shapes)
  func everyBlockOnce(shape: Shape) throws {
    for host in ["host-a", "host-b", "node1", ""] {
      let blocks = try walk(shape, host: host)
      #expect(blocks.count == shape.count)
      #expect(Set(blocks).count == shape.count)
      #expect(blocks.allSatisfy { $0.prefixLength == shape.prefixLength && shape.pool.contains($0) && !$0.hasHostBits })
      #expect(try walk(shape, host: host) == blocks)
    }
  }

  @Test("83: a block is as far away as the walk says", arguments: shapes)
  func distances(shape: Shape) throws {
    let order = try #require(
      BlockOrder(pool: shape.pool, prefixLength: shape.prefixLength, start: .init(host: "host-a")))
    for (distance, block) in try walk(shape, host: "host-a").enumerated() {
      #expect(order.distance(to: block) == UInt128(distance))
    }
    #expect(order.distance(to: "192.168.0.0/26") == nil)
    #expect(BlockOrder(pool: "10.0.0.0/27", prefixLength: 26, start: .init(host: "host-a")) == nil)
  }

  @Test("83: hosts begin at different blocks")
  func spread() throws {
    let starts = (0..<1000).compactMap { number in
      BlockOrder(pool: "10.0.0.0/8", prefixLength: 26, start: .init(host: "node-\(number)"))?.block(at: 0)
    }
    #expect(starts.count == 1000)
    #expect(Set(starts).count > 990)
  }

  @Test("83: exactly the blocks that are reserved as a whole are left out", arguments: 0..<200 as Range<UInt64>)
  func reservations(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let shape = Shape(pool: "10.0.0.0/24", prefixLength: 29, count: 32)
    let cidrs = (0..<Int.random(in: 0...6, using: &generator)).compactMap { _ in
      CIDR(
        IPAddress(v4: 0x0A00_0000 + UInt32.random(in: 0..<256, using: &generator)),
        prefixLength: Int.random(in: 22...32, using: &generator)
      )?.canonical
    }
    let reserved = ReservedAddresses(cidrs)
    let host = "host-\(seed)"
    let expected = try walk(shape, host: host).filter { block in
      !(0..<8).allSatisfy { number in
        block.address.advanced(by: UInt128(number)).map { reserved.contains($0) } ?? false
      }
    }
    #expect(try walk(shape, host: host, skipping: reserved) == expected, "\(cidrs)")
  }

  @Test("83: a reservation of almost all of a huge pool costs nothing")
  func hugeReservation() throws {
    // All but the last /122 of a /64, and all but the first block of a /32.
    for (pool, free) in [
      ("fd00::/64", "fd00:0:0:0:ffff:ffff:ffff:ffc0/122"), ("fd00::/32", "fd00::/122"),
    ] as [(CIDR, CIDR)] {
      var reserved: [CIDR] = []
      for length in pool.prefixLength + 1...122 {
        let part = try #require(CIDR(free.address, prefixLength: length)).network.number
        let sibling = part ^ (1 << UInt128(128 - length))
        reserved.append(try #require(CIDR(IPAddress(v6: sibling), prefixLength: length)))
      }
      let shape = Shape(pool: pool, prefixLength: 122, count: 1)
      for host in ["host-a", "host-b", "host-c"] {
        #expect(try walk(shape, host: host, skipping: ReservedAddresses(reserved)) == [free])
      }
      #expect(try walk(shape, host: "host-a", skipping: ReservedAddresses([pool])).isEmpty)
      #expect(try walk(shape, host: "host-a", skipping: ReservedAddresses(["::/0"])).isEmpty)
    }
  }
}
