extension IPAddress: CustomStringConvertible {
  /// The canonical text: dotted decimal, or RFC 5952 for IPv6 (lower case, no leading zeros, the longest run of two or
  /// more zero groups, the first one on a tie, written `::`).
  public var description: String {
    String(unsafeUninitializedCapacity: 48) { buffer in
      var writer = TextWriter(buffer: buffer)
      writer.append(self)
      return writer.count
    }
  }
}

/// Writes the text of addresses into a buffer that is known to be large enough.
struct TextWriter {
  let buffer: UnsafeMutableBufferPointer<UInt8>
  var count = 0

  mutating func append(_ byte: UInt8) {
    buffer[count] = byte
    count += 1
  }

  mutating func append(decimal value: UInt8) {
    if value >= 100 { append(UInt8(ascii: "0") + value / 100) }
    if value >= 10 { append(UInt8(ascii: "0") + value / 10 % 10) }
    append(UInt8(ascii: "0") + value % 10)
  }

  mutating func append(hexadecimal value: UInt16) {
    var shift: UInt16 = 12
    while shift > 0, value >> shift == 0 { shift -= 4 }
    while true {
      let digit = UInt8(truncatingIfNeeded: value >> shift & 0xF)
      append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      if shift == 0 { return }
      shift -= 4
    }
  }

  mutating func append(_ address: IPAddress) {
    switch address.family {
    case .v4:
      for shift in stride(from: UInt128(24), through: 0, by: -8) {
        append(decimal: UInt8(truncatingIfNeeded: address.number >> shift))
        if shift > 0 { append(UInt8(ascii: ".")) }
      }
    case .v6:
      appendV6(address.number)
    }
  }

  private mutating func appendV6(_ number: UInt128) {
    func group(_ index: Int) -> UInt16 { UInt16(truncatingIfNeeded: number >> UInt128(112 - 16 * index)) }
    let gap = Self.longestZeroRun(group)
    var index = 0
    while index < 8 {
      if index == gap.lowerBound, !gap.isEmpty {
        append(UInt8(ascii: ":"))
        append(UInt8(ascii: ":"))
        index = gap.upperBound
        continue
      }
      if index > 0, index != gap.upperBound || gap.isEmpty { append(UInt8(ascii: ":")) }
      append(hexadecimal: group(index))
      index += 1
    }
  }

  /// The groups that `::` stands for; empty when no two neighbouring groups are zero.
  private static func longestZeroRun(_ group: (Int) -> UInt16) -> Range<Int> {
    var best = 0..<0
    var index = 0
    while index < 8 {
      guard group(index) == 0 else {
        index += 1
        continue
      }
      let start = index
      while index < 8, group(index) == 0 { index += 1 }
      if index - start > max(best.count, 1) { best = start..<index }
    }
    return best
  }
}
