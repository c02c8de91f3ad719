/// The Secure Hash Algorithm 1 (RFC 3174), here for the names of tunnel devices' hardware addresses and for nothing
/// that has to be safe.
enum SHA1 {
  /// The digest of some bytes: twenty of them.
  static func digest(_ message: some Sequence<UInt8>) -> [UInt8] {
    var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
    let padded = pad(Array(message))
    for start in stride(from: 0, to: padded.count, by: 64) {
      process(padded[start..<start + 64], &state)
    }
    return state.flatMap(bytes)
  }

  /// The message, a one bit, zeros, and the message's length in bits, to a multiple of 64 bytes (RFC 3174, section 4).
  private static func pad(_ message: [UInt8]) -> [UInt8] {
    var padded = message
    padded.append(0x80)
    while padded.count % 64 != 56 { padded.append(0) }
    let bits = UInt64(message.count) * 8
    padded += bytes(UInt32(truncatingIfNeeded: bits >> 32)) + bytes(UInt32(truncatingIfNeeded: bits))
    return padded
  }

  /// One block of 64 bytes (RFC 3174, section 6.1).
  private static func process(_ block: ArraySlice<UInt8>, _ state: inout [UInt32]) {
    var words = stride(from: block.startIndex, to: block.endIndex, by: 4).map { at in
      block[at..<at + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }
    for at in 16..<80 { words.append(rotate(words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16], 1)) }
    var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
    for at in 0..<80 {
      let next = rotate(a, 5) &+ mix(at, b, c, d) &+ e &+ words[at] &+ constant(at)
      (e, d, c, b, a) = (d, c, rotate(b, 30), a, next)
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
  }

  /// The function of the step (RFC 3174, section 5).
  private static func mix(_ step: Int, _ b: UInt32, _ c: UInt32, _ d: UInt32) -> UInt32 {
    switch step {
    case ..<20: b & c | ~b & d
    case 40..<60: b & c | b & d | c & d
    default: b ^ c ^ d
    }
  }

  private static func constant(_ step: Int) -> UInt32 {
    switch step {
    case ..<20: 0x5A82_7999
    case ..<40: 0x6ED9_EBA1
    case ..<60: 0x8F1B_BCDC
    default: 0xCA62_C1D6
    }
  }

  private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }

  private static func bytes(_ word: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
  }
}
