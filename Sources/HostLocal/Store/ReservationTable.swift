import FileSystem
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What is known of the reservations in one directory: for a content its addresses, for an address its record, and
/// which addresses are free.
///
/// The table is one block of memory without pointers, so that it can be a mapped file which the next process uses as it
/// is, paying only for the pages it touches:
///
///     offset 0            header (``TableHeader``), 4096 bytes, with the names of odd entries at its end
///     4096                records            capacity × 64 bytes
///     then                content buckets    capacity × 4 bytes   record number + 1, chained by `nextByContent`
///     then                address buckets    capacity × 4 bytes   record number + 1, chained by `nextByAddress`
///     then                occupancy blocks   blockCapacity × 80 bytes: a key and a bit for each of 512 addresses
///
/// Every number read from a mapped file is checked against the layout before it is used as a place.
struct ReservationTable: ~Copyable {
  /// A reservation as the table knows it.
  struct Record: Hashable {
    var address: IPAddress
    /// Digest of the trimmed content; see ``ReservationContent/digest(_:)``.
    var contentDigest: UInt64
    /// The file's incarnation, or 0 when the file system cannot tell.
    var incarnation: UInt64 = 0
    var inode: UInt64 = 0
    var changeSeconds: Int64 = 0
    var changeNanoseconds: Int64 = 0
  }

  let memory: TableMemory

  /// Adopts memory that holds a table; nil when it does not hold one that is sound in its dimensions.
  init?(adopting memory: consuming TableMemory) {
    guard memory.size >= TableLayout.headerSize else { return nil }
    let header = TableHeader(memory.base)
    guard header.magic == TableHeader.currentMagic else { return nil }
    guard let layout = TableLayout(capacity: Int(header.capacity), blockCapacity: Int(header.blockCapacity)) else {
      return nil
    }
    guard layout.size == memory.size, header.recordsUsed <= header.capacity, header.count <= header.recordsUsed,
      header.blocksUsed < header.blockCapacity
    else { return nil }
    self.memory = memory
    self.layout = layout
  }

  /// An empty table in memory of its own.
  init(capacity: Int, blockCapacity: Int = TableLayout.smallestBlockCapacity) {
    let layout = TableLayout(roundingUp: capacity, blockCapacity: blockCapacity)
    self.layout = layout
    memory = TableMemory(allocating: layout.size)
    let header = TableHeader(memory.base)
    header.magic = TableHeader.currentMagic
    header.capacity = UInt32(layout.capacity)
    header.blockCapacity = UInt32(layout.blockCapacity)
    header.pass = 1
  }

  private let layout: TableLayout

  var header: TableHeader { TableHeader(memory.base) }
  var count: Int { Int(header.count) }

  /// When and where the table was written.
  func boot() -> BootIdentity { header.boot }

  // MARK: Looking up

  /// Calls `body` with every record whose content has the digest, until it returns false.
  func forEachRecord(withContent digest: UInt64, _ body: (Record) -> Bool) {
    var number = loadNumber(layout.contentBucket(digest))
    // A sound chain is never longer than the table; a damaged one may be a ring.
    var steps = 0
    while number != 0, number <= layout.capacity, steps <= layout.capacity {
      let place = layout.record(number)
      if memory.load(place + RecordField.contentDigest, as: UInt64.self) == digest, !body(loadRecord(place)) { return }
      number = loadNumber(place + RecordField.nextByContent)
      steps += 1
    }
  }

  /// The record of an address.
  func record(of address: IPAddress) -> Record? {
    find(address).map { loadRecord(layout.record($0)) }
  }

  /// Calls `body` with every record.
  func forEachRecord(_ body: (Record) -> Void) {
    for number in 1..<(Int(header.recordsUsed) + 1) {
      let place = layout.record(number)
      if memory.load(place + RecordField.lastSeen, as: UInt32.self) != 0 { body(loadRecord(place)) }
    }
  }

  /// The first address of `range` that no record has; nil when all are taken.
  ///
  /// Costs a look-up for every 512 addresses that are taken.
  func firstFree(in range: AddressRange) -> IPAddress? {
    var candidate = Self.key(range.first)
    let last = Self.key(range.last)
    while candidate <= last {
      guard let block = findBlock(candidate >> 9) else { return Self.address(candidate, range) }
      let offset = Int(truncatingIfNeeded: candidate & 511)
      if let free = firstClearBit(in: block, from: offset) {
        let found = candidate - UInt128(offset) + UInt128(free)
        return found <= last ? Self.address(found, range) : nil
      }
      let (next, overflow) = (candidate | 511).addingReportingOverflow(1)
      if overflow { return nil }
      candidate = next
    }
    return nil
  }

  /// The address of some record in `range`; nil when there is none.
  func firstTaken(in range: AddressRange) -> IPAddress? {
    for number in 1..<(Int(header.recordsUsed) + 1) {
      let place = layout.record(number)
      guard memory.load(place + RecordField.lastSeen, as: UInt32.self) != 0 else { continue }
      let address = loadRecord(place).address
      if range.contains(address) { return address }
    }
    return nil
  }

  /// How many addresses of `range` have a record.
  func countTaken(in range: AddressRange) -> Int {
    let (first, last) = (Self.key(range.first), Self.key(range.last))
    var count = 0
    for index in 0..<layout.blockCapacity {
      let place = layout.block(index)
      let high = memory.load(place, as: UInt64.self)
      guard high != 0 else { continue }
      let start = (UInt128(high & ~(1 << 63)) << 64 | UInt128(memory.load(place + 8, as: UInt64.self))) << 9
      guard start <= last, start + 511 >= first else { continue }
      for word in 0..<8 {
        var bits = memory.load(place + 16 + word * 8, as: UInt64.self)
        let wordStart = start + UInt128(word * 64)
        if wordStart > last || wordStart + 63 < first { continue }
        if wordStart < first { bits &= .max << UInt64(first - wordStart) }
        if wordStart + 63 > last { bits &= .max >> UInt64(wordStart + 63 - last) }
        count += bits.nonzeroBitCount
      }
    }
    return count
  }

  // MARK: Changing

  /// Adds a record for an address that has none.
  ///
  /// A table without room moves to memory of its own first, and then is no longer the file's that it was mapped from.
  mutating func add(_ record: Record) {
    if insert(record, lastSeen: header.pass) { return }
    self = grown()
    // A grown table has room, so the answer is always true.
    _ = insert(record, lastSeen: header.pass)
  }

  /// Adds a record for an address that has none; false when there is no room.
  private mutating func insert(_ record: Record, lastSeen: UInt32) -> Bool {
    let header = header
    guard find(record.address) == nil else { return true }
    header.isBeingChanged = true
    let key = Self.key(record.address)
    guard let block = findBlock(key >> 9) ?? addBlock(key >> 9) else { return false }
    let number: Int
    if header.freeRecord != 0, header.freeRecord <= header.capacity {
      number = Int(header.freeRecord)
      header.freeRecord = UInt32(loadNumber(layout.record(number) + RecordField.nextByContent))
    } else {
      guard header.recordsUsed < header.capacity else { return false }
      header.recordsUsed += 1
      number = Int(header.recordsUsed)
    }
    store(record, at: number, lastSeen: lastSeen)
    setBit(key, in: block, to: true)
    header.count += 1
    return true
  }

  /// Removes the record of an address, if there is one.
  mutating func remove(_ address: IPAddress) {
    guard let number = find(address) else { return }
    let header = header
    header.isBeingChanged = true
    let place = layout.record(number)
    let digest = memory.load(place + RecordField.contentDigest, as: UInt64.self)
    unlink(number, from: layout.contentBucket(digest), next: RecordField.nextByContent)
    unlink(number, from: layout.addressBucket(Self.key(address)), next: RecordField.nextByAddress)
    memory.store(place + RecordField.lastSeen, UInt32(0))
    storeNumber(place + RecordField.nextByContent, Int(header.freeRecord))
    header.freeRecord = UInt32(number)
    header.count -= 1
    let key = Self.key(address)
    if let block = findBlock(key >> 9) { setBit(key, in: block, to: false) }
  }

  /// Begins a comparison with the directory: from here on every record counts as unseen.
  mutating func beginPass() {
    header.isBeingChanged = true
    header.pass = header.pass == .max ? 1 : header.pass + 1
  }

  /// Marks the record of an address as seen if it is about this very file; otherwise the record is removed.
  mutating func confirm(_ address: IPAddress, incarnation: UInt64) -> Bool {
    guard let number = find(address) else { return false }
    let place = layout.record(number)
    guard incarnation != 0, memory.load(place + RecordField.incarnation, as: UInt64.self) == incarnation,
      memory.load(place + RecordField.contentDigest, as: UInt64.self) != 0
    else {
      remove(address)
      return false
    }
    memory.store(place + RecordField.lastSeen, header.pass)
    return true
  }

  /// Ends a comparison: records of what was not seen are removed.
  mutating func removeUnseen() {
    let pass = header.pass
    for number in 1..<(Int(header.recordsUsed) + 1) {
      let place = layout.record(number)
      let lastSeen = memory.load(place + RecordField.lastSeen, as: UInt32.self)
      if lastSeen != 0, lastSeen != pass { remove(loadRecord(place).address) }
    }
  }

  /// A table with the same records and room for more, in memory of its own.
  private func grown() -> ReservationTable {
    // Blocks that have become empty are left behind, so a network whose addresses wander does not grow for ever.
    let liveBlocks = (0..<layout.blockCapacity).count { index in
      (16..<80).contains { memory.load(layout.block(index) + $0, as: UInt8.self) != 0 }
    }
    var larger = ReservationTable(
      capacity: count * 4 >= layout.capacity * 3 ? layout.capacity * 2 : layout.capacity,
      blockCapacity: max(liveBlocks * 4, TableLayout.smallestBlockCapacity)
    )
    // In the middle of a pass, what was not seen before growing must not count as seen after it.
    larger.header.pass = header.pass
    for number in 1..<(Int(header.recordsUsed) + 1) {
      let place = layout.record(number)
      let lastSeen = memory.load(place + RecordField.lastSeen, as: UInt32.self)
      // There is room by construction, so the answer is always true.
      if lastSeen != 0 { _ = larger.insert(loadRecord(place), lastSeen: lastSeen) }
    }
    larger.header.copyIdentity(from: header)
    return larger
  }

  // MARK: Records

  private enum RecordField {
    static let addressHigh = 0
    static let addressLow = 8
    static let contentDigest = 16
    static let incarnation = 24
    static let inode = 32
    static let changeSeconds = 40
    static let changeNanoseconds = 48
    static let nextByContent = 52
    static let nextByAddress = 56
    /// The pass that saw the file; 0 when the record is not in use.
    static let lastSeen = 60
  }

  private func find(_ address: IPAddress) -> Int? {
    let key = Self.key(address)
    let (high, low) = (UInt64(truncatingIfNeeded: key >> 64), UInt64(truncatingIfNeeded: key))
    var number = loadNumber(layout.addressBucket(key))
    var steps = 0
    while number != 0, number <= layout.capacity, steps <= layout.capacity {
      let place = layout.record(number)
      if memory.load(place + RecordField.addressLow, as: UInt64.self) == low,
        memory.load(place + RecordField.addressHigh, as: UInt64.self) == high
      {
        return number
      }
      number = loadNumber(place + RecordField.nextByAddress)
      steps += 1
    }
    return nil
  }

  private func loadRecord(_ place: Int) -> Record {
    let high = memory.load(place + RecordField.addressHigh, as: UInt64.self)
    let low = memory.load(place + RecordField.addressLow, as: UInt64.self)
    return Record(
      address: IPAddress(v6: UInt128(high) << 64 | UInt128(low)),
      contentDigest: memory.load(place + RecordField.contentDigest, as: UInt64.self),
      incarnation: memory.load(place + RecordField.incarnation, as: UInt64.self),
      inode: memory.load(place + RecordField.inode, as: UInt64.self),
      changeSeconds: memory.load(place + RecordField.changeSeconds, as: Int64.self),
      changeNanoseconds: Int64(memory.load(place + RecordField.changeNanoseconds, as: UInt32.self))
    )
  }

  private mutating func store(_ record: Record, at number: Int, lastSeen: UInt32) {
    let key = Self.key(record.address)
    let place = layout.record(number)
    memory.store(place + RecordField.addressHigh, UInt64(truncatingIfNeeded: key >> 64))
    memory.store(place + RecordField.addressLow, UInt64(truncatingIfNeeded: key))
    memory.store(place + RecordField.contentDigest, record.contentDigest)
    memory.store(place + RecordField.incarnation, record.incarnation)
    memory.store(place + RecordField.inode, record.inode)
    memory.store(place + RecordField.changeSeconds, record.changeSeconds)
    memory.store(place + RecordField.changeNanoseconds, UInt32(truncatingIfNeeded: record.changeNanoseconds))
    memory.store(place + RecordField.lastSeen, lastSeen)
    let contentBucket = layout.contentBucket(record.contentDigest)
    storeNumber(place + RecordField.nextByContent, loadNumber(contentBucket))
    storeNumber(contentBucket, number)
    let addressBucket = layout.addressBucket(key)
    storeNumber(place + RecordField.nextByAddress, loadNumber(addressBucket))
    storeNumber(addressBucket, number)
  }

  private func unlink(_ number: Int, from bucket: Int, next: Int) {
    var place = bucket
    var steps = 0
    while steps <= layout.capacity {
      let current = loadNumber(place)
      if current == number {
        storeNumber(place, loadNumber(layout.record(number) + next))
        return
      }
      guard current != 0, current <= layout.capacity else { return }
      place = layout.record(current) + next
      steps += 1
    }
  }

  private func loadNumber(_ place: Int) -> Int { Int(memory.load(place, as: UInt32.self)) }

  private func storeNumber(_ place: Int, _ number: Int) {
    memory.store(place, UInt32(truncatingIfNeeded: number))
  }

  // MARK: Occupancy

  /// An address as 128 bits that no other address has: IPv4 in its mapped place.
  private static func key(_ address: IPAddress) -> UInt128 {
    address.family == .v4 ? 0xFFFF << 32 | address.number : address.number
  }

  private static func address(_ key: UInt128, _ range: AddressRange) -> IPAddress? {
    IPAddress(range.first.family, number: range.first.family == .v4 ? key & 0xFFFF_FFFF : key)
  }

  /// The place of the block that covers addresses with this key, 512 of them.
  private func findBlock(_ blockKey: UInt128) -> Int? {
    let place = probe(blockKey)
    return memory.load(place, as: UInt64.self) == 0 ? nil : place
  }

  private func addBlock(_ blockKey: UInt128) -> Int? {
    let header = header
    // One block stays empty, so that every probe ends; three quarters full is where probing grows long.
    guard Int(header.blocksUsed) + 1 <= layout.blockCapacity * 3 / 4 else { return nil }
    let place = probe(blockKey)
    let (high, low) = Self.stored(blockKey)
    memory.store(place, high)
    memory.store(place + 8, low)
    header.blocksUsed += 1
    return place
  }

  /// Where the block is, or the empty place where it would be. Open addressing, one step at a time.
  private func probe(_ blockKey: UInt128) -> Int {
    let (high, low) = Self.stored(blockKey)
    var index = Int(truncatingIfNeeded: TableLayout.mix(low ^ high) & UInt64(layout.blockCapacity - 1))
    for _ in 0..<layout.blockCapacity {
      let place = layout.block(index)
      let found = memory.load(place, as: UInt64.self)
      if found == 0 || (found == high && memory.load(place + 8, as: UInt64.self) == low) { return place }
      index = (index + 1) & (layout.blockCapacity - 1)
    }
    return layout.block(index)
  }

  /// The key as stored: its top bit, never set in a block's number, tells it from an empty place.
  private static func stored(_ blockKey: UInt128) -> (high: UInt64, low: UInt64) {
    (UInt64(truncatingIfNeeded: blockKey >> 64) | 1 << 63, UInt64(truncatingIfNeeded: blockKey))
  }

  private func setBit(_ key: UInt128, in block: Int, to isSet: Bool) {
    let bit = Int(truncatingIfNeeded: key & 511)
    let place = block + 16 + bit / 64 * 8
    let word = memory.load(place, as: UInt64.self)
    let mask: UInt64 = 1 << UInt64(bit % 64)
    memory.store(place, isSet ? word | mask : word & ~mask)
  }

  private func firstClearBit(in block: Int, from start: Int) -> Int? {
    var index = start / 64
    // Bits below the start count as set.
    var word = memory.load(block + 16 + index * 8, as: UInt64.self) | ((1 << UInt64(start % 64)) - 1)
    while word == .max {
      index += 1
      if index == 8 { return nil }
      word = memory.load(block + 16 + index * 8, as: UInt64.self)
    }
    return index * 64 + (~word).trailingZeroBitCount
  }
}
