import IPAddressing
import TestSupport
import Testing

@testable import HostLocal

@Suite("The table of reservations")
struct ReservationTableTests {
  private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  private static func range(_ first: String, _ last: String) throws -> AddressRange {
    try #require(AddressRange(try address(first), through: try address(last)))
  }

  @Test("a record is found by its address and by its content")
  func findsRecords() throws {
    var table = ReservationTable(capacity: 8)
    let one = try Self.address("10.0.0.1")
    let two = try Self.address("fd00::1")
    table.add(.init(address: one, contentDigest: 7))
    table.add(.init(address: two, contentDigest: 7))
    let found = table.record(of: one)
    #expect(found?.contentDigest == 7)
    #expect(table.record(of: try Self.address("10.0.0.2")) == nil)
    var addresses: Set<IPAddress> = []
    table.forEachRecord(withContent: 7) { record in
      addresses.insert(record.address)
      return true
    }
    #expect(addresses == [one, two])
  }

  @Test("the first free address lies behind a long run of taken ones")
  func leapsOverRuns() throws {
    var table = ReservationTable(capacity: 70000)
    let start = try Self.address("10.0.0.0")
    for offset in 0..<60000 {
      let address = try #require(start.advanced(by: UInt128(offset)))
      table.add(.init(address: address, contentDigest: 1))
    }
    let all = try Self.range("10.0.0.0", "10.0.255.255")
    let free = table.firstFree(in: all)
    #expect(free == start.advanced(by: 60000))
    let taken = table.firstFree(in: try Self.range("10.0.0.0", "10.0.0.99"))
    #expect(taken == nil)
    let count = table.countTaken(in: try Self.range("10.0.0.3", "10.0.4.200"))
    #expect(count == 4 * 256 + 200 - 2)
  }

  @Test("the top of each family's space can be taken and is then not free")
  func reachesTheTop() throws {
    var table = ReservationTable(capacity: 8)
    for (first, last) in [
      ("255.255.255.254", "255.255.255.255"),
      ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ] {
      let range = try Self.range(first, last)
      for address in [range.first, range.last] {
        table.add(.init(address: address, contentDigest: 1))
      }
      let free = table.firstFree(in: range)
      #expect(free == nil)
    }
  }

  @Test("a random history leaves the same as a dictionary", arguments: [1, 2, 3, 4] as [UInt64])
  func agreesWithModel(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var table = ReservationTable(capacity: 64)
    var model: [IPAddress: UInt64] = [:]
    let base = seed % 2 == 0 ? try Self.address("10.0.0.0") : try Self.address("fd00::fff0")
    for _ in 0..<6000 {
      let address = try #require(base.advanced(by: UInt128(UInt64.random(in: 0..<1500, using: &generator))))
      if Bool.random(using: &generator) {
        let digest = UInt64.random(in: 1...20, using: &generator)
        if model[address] == nil { model[address] = digest }
        table.add(.init(address: address, contentDigest: digest))
      } else {
        model[address] = nil
        table.remove(address)
      }
    }
    let count = table.count
    #expect(count == model.count, "seed \(seed)")
    var records: [IPAddress: UInt64] = [:]
    table.forEachRecord { records[$0.address] = $0.contentDigest }
    #expect(records == model, "seed \(seed)")
    for digest in 1...20 as ClosedRange<UInt64> {
      var found: Set<IPAddress> = []
      table.forEachRecord(withContent: digest) { record in
        found.insert(record.address)
        return true
      }
      #expect(found == Set(model.filter { $0.value == digest }.keys), "seed \(seed)")
    }
    var walk = base
    let last = try #require(base.advanced(by: 1500))
    while let next = walk.advanced(by: 1), next <= last {
      let rest = try #require(AddressRange(walk, through: last))
      let expected = sequence(first: walk) { $0.advanced(by: 1) }.first { model[$0] == nil }
      let free = table.firstFree(in: rest)
      #expect(free == expected, "seed \(seed)")
      walk = next
    }
  }

  @Test("emptied occupancy blocks are left behind when the table grows")
  func doesNotGrowForEver() throws {
    var table = ReservationTable(capacity: 64)
    var address = try Self.address("fd00::")
    for _ in 0..<5000 {
      let next = try #require(address.advanced(by: 512))
      table.remove(address)
      table.add(.init(address: next, contentDigest: 1))
      address = next
    }
    let size = table.memory.size
    #expect(size < 32 * 1024)
  }

  @Test("a pass removes what it has not seen, and what is another file by now")
  func comparesWithDirectory() throws {
    var table = ReservationTable(capacity: 8)
    let kept = try Self.address("10.0.0.1")
    let replaced = try Self.address("10.0.0.2")
    let gone = try Self.address("10.0.0.3")
    for (address, incarnation) in [(kept, 11), (replaced, 12), (gone, 13)] as [(IPAddress, UInt64)] {
      table.add(.init(address: address, contentDigest: 1, incarnation: incarnation))
    }
    table.beginPass()
    let isKept = table.confirm(kept, incarnation: 11)
    let isReplaced = table.confirm(replaced, incarnation: 99)
    table.removeUnseen()
    #expect(isKept)
    #expect(!isReplaced)
    let count = table.count
    #expect(count == 1)
    #expect(table.record(of: kept) != nil)
  }

  @Test("a pass in which the table grows removes what it has not seen all the same")
  func growsWithinPass() throws {
    var table = ReservationTable(capacity: 64)
    let start = try Self.address("10.0.0.0")
    for offset in 0..<60 as Range<UInt128> {
      let address = try #require(start.advanced(by: offset))
      table.add(.init(address: address, contentDigest: 1, incarnation: UInt64(offset) + 1))
    }
    table.beginPass()
    for offset in 1..<60 as Range<UInt128> {
      let address = try #require(start.advanced(by: offset))
      let isConfirmed = table.confirm(address, incarnation: UInt64(offset) + 1)
      #expect(isConfirmed)
    }
    for offset in 100..<150 as Range<UInt128> {
      table.add(.init(address: try #require(start.advanced(by: offset)), contentDigest: 1))
    }
    table.removeUnseen()
    let count = table.count
    #expect(count == 109)
    #expect(table.record(of: start) == nil)
  }

  @Test("memory that is no table, or not a sound one, is not adopted", arguments: [0, 64, 4095, 4096, 10000])
  func refusesForeignMemory(size: Int) {
    let isAdopted = ReservationTable(adopting: TableMemory(allocating: max(size, 1))) != nil
    #expect(!isAdopted)
  }

  @Test("a table with random bytes in it never leads outside its memory", arguments: [1, 2, 3] as [UInt64])
  func survivesDamage(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let range = try Self.range("10.0.0.0", "10.0.255.255")
    for _ in 0..<300 {
      var table = ReservationTable(capacity: 64)
      for offset in 0..<60 {
        let address = try #require(range.first.advanced(by: UInt128(offset * 7)))
        table.add(.init(address: address, contentDigest: UInt64(offset)))
      }
      let header = table.header
      for _ in 0..<200 {
        let place = Int.random(in: 16..<(table.memory.size / 4), using: &generator) * 4
        table.memory.store(place, UInt32.random(in: 0...200, using: &generator))
      }
      header.magic = TableHeader.currentMagic
      _ = table.firstFree(in: range)
      _ = table.countTaken(in: range)
      table.forEachRecord(withContent: 3) { _ in true }
      table.remove(range.first)
      table.add(.init(address: range.last, contentDigest: 5))
      table.beginPass()
      table.removeUnseen()
    }
  }
}
