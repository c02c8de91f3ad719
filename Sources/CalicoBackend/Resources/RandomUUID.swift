/// Random identifiers as RFC 9562 section 5.4 defines them: version 4.
public enum RandomUUID {
  /// The text of an identifier from the system's random numbers, such as `db6c0d09-64f3-4924-8052-060ad25d6c24`.
  public static func text() -> String {
    var generator = SystemRandomNumberGenerator()
    return text(using: &generator)
  }

  /// The text of an identifier from the numbers of a generator.
  ///
  /// - Parameter generator: where the 122 random bits come from.
  /// - Returns: the identifier, in lower case.
  public static func text(using generator: inout some RandomNumberGenerator) -> String {
    var number = UInt128.random(in: 0...UInt128.max, using: &generator)
    // The version is the upper half of byte 6, the variant the two upper bits of byte 8.
    number = number & ~(0xF << 76) | 0x4 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    let digits = String(number, radix: 16)
    let padded = String(repeating: "0", count: 32 - digits.utf8.count) + digits
    var text = ""
    for (index, digit) in padded.enumerated() {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      text.append(digit)
    }
    return text
  }
}
