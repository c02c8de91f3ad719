/// FNV-1a of 128 bits: tells apart what differs by accident. Against somebody who wants two texts to agree it
/// does nothing, and nothing here hangs on that.
struct Checksum {
  private var state: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
  private static let prime: UInt128 = 1 << 88 | 0x13B

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { state = (state ^ UInt128(byte)) &* Self.prime }
  }

  /// 32 hexadecimal digits.
  var text: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 32 - digits.utf8.count) + digits
  }
}
