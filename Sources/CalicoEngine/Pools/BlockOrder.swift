public import IPAddressing

/// In which order the blocks of a pool are tried: from a place that depends on the host, upwards and around (Calico
/// IPAM specification, section 3.4).
///
/// Requests of one host come to the same block, and different hosts to different ones. The place means nothing to
/// anybody else, so it need not be the one that upstream's generator would give.
public struct BlockOrder: Sendable {
  /// Chooses the first block of a pool.
  public struct Start: Sendable {
    /// The host's part in the choice.
    let seed: UInt64
    /// Places that are given, by pool.
    let given: [CIDR: CIDR]

    /// The choice of a host.
    ///
    /// - Parameters:
    ///   - host: the host's name.
    ///   - given: for pools in which the first block is prescribed, that block.
    public init(host: String, given: [CIDR: CIDR] = [:]) {
      // FNV-1, 64 bits: it spreads short names that differ in a digit.
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for byte in host.utf8 {
        hash = (hash &* 0x100_0000_01B3) ^ UInt64(byte)
      }
      self.seed = hash
      self.given = given
    }
  }

  let pool: CIDR
  let prefixLength: Int
  /// The number of blocks, less one.
  let mask: UInt128
  let first: UInt128

  /// The order of a pool's blocks; nil when the pool is smaller than one.
  ///
  /// - Parameters:
  ///   - pool: the pool's network.
  ///   - prefixLength: the length of its blocks.
  ///   - start: the host's choice.
  public init?(pool: CIDR, prefixLength: Int, start: Start) {
    guard let bits = pool.subnetBits(prefixLength) else { return nil }
    self.pool = pool
    self.prefixLength = prefixLength
    self.mask = bits == 128 ? .max : (1 << UInt128(bits)) - 1
    if let given = start.given[pool] {
      first = (given.address.number &- pool.network.number) >> Self.shift(pool, prefixLength) & mask
    } else {
      let low = Self.mixed(start.seed)
      first = (UInt128(Self.mixed(low)) << 64 | UInt128(low)) & mask
    }
  }

  private static func shift(_ pool: CIDR, _ prefixLength: Int) -> UInt128 {
    UInt128(pool.address.family.bitWidth - prefixLength)
  }

  /// Spreads every bit over the whole number (the finaliser of SplitMix64).
  private static func mixed(_ value: UInt64) -> UInt64 {
    var value = value &+ 0x9E37_79B9_7F4A_7C15
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }

  /// How many blocks there are, less one: the last distance.
  public var lastDistance: UInt128 { mask }

  /// The block at a distance from the first.
  public func block(at distance: UInt128) -> CIDR? {
    pool.subnet(at: (first &+ distance) & mask, prefixLength: prefixLength)
  }

  /// How far behind the first a block comes; nil when it is none of this pool's.
  public func distance(to block: CIDR) -> UInt128? {
    guard block.prefixLength == prefixLength, pool.contains(block) else { return nil }
    let index = (block.address.number &- pool.network.number) >> Self.shift(pool, prefixLength)
    return (index &- first) & mask
  }
}
