/// The hash function SHA3-256 (FIPS 202), by which affinities are labelled with their owner's name.
enum SHA3 {
  /// The bytes that are taken in at a time: 1600 bits less twice the length of the hash.
  private static let rate = 136

  /// The hash of some bytes: 32 bytes.
  static func hash256(_ message: some Collection<UInt8>) -> [UInt8] {
    // The bits 01 tell SHA-3 from the other functions of its kind; then one bit, zeros and one bit (sections 5.1, 6.1).
    var padded = Array(message)
    padded.append(0x06)
    padded.append(contentsOf: repeatElement(0, count: (rate - padded.count % rate) % rate))
    padded[padded.count - 1] |= 0x80
    var state = [UInt64](repeating: 0, count: 25)
    for start in stride(from: 0, to: padded.count, by: rate) {
      for lane in 0..<rate / 8 {
        for byte in 0..<8 { state[lane] ^= UInt64(padded[start + 8 * lane + byte]) << UInt64(8 * byte) }
      }
      permute(&state)
    }
    return (0..<32).map { UInt8(truncatingIfNeeded: state[$0 / 8] >> UInt64(8 * ($0 % 8))) }
  }

  /// Keccak-f[1600]: lane (x, y) of section 3 is element x + 5y.
  private static func permute(_ state: inout [UInt64]) {
    for constant in roundConstants {
      // Theta, section 3.2.1.
      let columns = (0..<5).map { x in (0..<5).reduce(0 as UInt64) { $0 ^ state[x + 5 * $1] } }
      for x in 0..<5 {
        let mixed = columns[(x + 4) % 5] ^ rotated(columns[(x + 1) % 5], 1)
        for y in 0..<5 { state[x + 5 * y] ^= mixed }
      }
      // Rho and pi, sections 3.2.2 and 3.2.3.
      var moved = [UInt64](repeating: 0, count: 25)
      for x in 0..<5 {
        for y in 0..<5 { moved[y + 5 * ((2 * x + 3 * y) % 5)] = rotated(state[x + 5 * y], offsets[x + 5 * y]) }
      }
      // Chi, section 3.2.4.
      for y in 0..<5 {
        for x in 0..<5 {
          state[x + 5 * y] = moved[x + 5 * y] ^ ~moved[(x + 1) % 5 + 5 * y] & moved[(x + 2) % 5 + 5 * y]
        }
      }
      // Iota, section 3.2.5.
      state[0] ^= constant
    }
  }

  private static func rotated(_ lane: UInt64, _ count: UInt64) -> UInt64 {
    count == 0 ? lane : lane << count | lane >> (64 - count)
  }

  /// Table 2, modulo 64.
  private static let offsets: [UInt64] = [
    0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14,
  ]

  /// What algorithm 5 makes for the 24 rounds.
  private static let roundConstants: [UInt64] = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808a, 0x8000_0000_8000_8000,
    0x0000_0000_0000_808b, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
    0x0000_0000_0000_008a, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000a,
    0x0000_0000_8000_808b, 0x8000_0000_0000_008b, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
    0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800a, 0x8000_0000_8000_000a,
    0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
  ]
}
