/// Where the parts of a ``ReservationTable`` lie.
struct TableLayout: Hashable {
  static let headerSize = 4096
  static let smallestBlockCapacity = 64
  private static let recordSize = 64
  private static let blockSize = 80
  /// 16 million records: more than any directory is walked with.
  private static let largestCapacity = 1 << 24

  /// How many records there is room for; a power of two.
  let capacity: Int
  /// How many occupancy blocks there is room for; a power of two.
  let blockCapacity: Int

  /// A layout of dimensions that are not trusted; nil when they are not powers of two, or out of bounds.
  init?(capacity: Int, blockCapacity: Int) {
    guard capacity > 0, capacity & (capacity - 1) == 0, capacity <= Self.largestCapacity else { return nil }
    guard blockCapacity > 0, blockCapacity & (blockCapacity - 1) == 0, blockCapacity <= Self.largestCapacity * 2 else {
      return nil
    }
    self.capacity = capacity
    self.blockCapacity = blockCapacity
  }

  /// A layout with room for at least so many.
  init(roundingUp capacity: Int, blockCapacity: Int) {
    self.capacity = Self.powerOfTwo(atLeast: max(capacity, 64))
    self.blockCapacity = Self.powerOfTwo(atLeast: max(blockCapacity, Self.smallestBlockCapacity))
  }

  var size: Int { block(blockCapacity) }

  /// The place of a record; records are numbered from 1, so that 0 can mean none.
  func record(_ number: Int) -> Int { Self.headerSize + (number - 1) * Self.recordSize }

  func contentBucket(_ digest: UInt64) -> Int {
    record(capacity + 1) + Int(truncatingIfNeeded: Self.mix(digest) & UInt64(capacity - 1)) * 4
  }

  func addressBucket(_ key: UInt128) -> Int {
    let hash = Self.mix(UInt64(truncatingIfNeeded: key) ^ UInt64(truncatingIfNeeded: key >> 64))
    return record(capacity + 1) + capacity * 4 + Int(truncatingIfNeeded: hash & UInt64(capacity - 1)) * 4
  }

  func block(_ index: Int) -> Int { record(capacity + 1) + capacity * 8 + index * Self.blockSize }

  /// Spreads the bits of a number over its low end (the finaliser of SplitMix64).
  static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  private static func powerOfTwo(atLeast value: Int) -> Int {
    value <= 1 ? 1 : 1 << (Int.bitWidth - (value - 1).leadingZeroBitCount)
  }
}
