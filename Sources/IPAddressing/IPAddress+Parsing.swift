extension IPAddress {
  /// Reads an address in text form, or nil when `text` is anything else.
  ///
  /// IPv4: exactly four decimal parts without leading zeros. IPv6: RFC 4291 section 2.2, any letter case, leading zeros
  /// within a group, one `::`, an embedded dotted IPv4 tail. No zone, no blanks, no prefix length. The C library is not
  /// asked, because it takes `10.1`, octal parts and zones.
  public init?(_ text: String) {
    var text = text
    guard let parsed = text.withUTF8({ IPAddress(utf8: $0) }) else { return nil }
    self = parsed
  }

  /// Reads an address in text form; same rules as ``init(_:)-(String)``.
  public init?(_ text: Substring) {
    // Not generic over both kinds of text: plugins are made of code that is touched, page by page, for a millisecond.
    var text = text
    guard let parsed = text.withUTF8({ IPAddress(utf8: $0) }) else { return nil }
    self = parsed
  }

  /// Reads an address from the bytes of its text form; same rules as ``init(_:)-(String)``.
  public init?(utf8 text: UnsafeBufferPointer<UInt8>) {
    guard !text.isEmpty, text.count <= 45 else { return nil }
    // The first separator decides the family: a dotted tail in IPv6 always follows a colon.
    for byte in text {
      if byte == UInt8(ascii: ".") {
        guard let number = Self.parseV4(text[...]) else { return nil }
        self.init(v4: number)
        return
      }
      if byte == UInt8(ascii: ":") {
        guard let number = Self.parseV6(text[...]) else { return nil }
        self.init(v6: number)
        return
      }
    }
    return nil
  }

  private typealias Text = Slice<UnsafeBufferPointer<UInt8>>

  private static func parseV4(_ text: Text) -> UInt32? {
    var number: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var parts = 0
    for byte in text {
      if byte == UInt8(ascii: ".") {
        guard digits > 0, parts < 3 else { return nil }
        number = number << 8 | part
        parts += 1
        part = 0
        digits = 0
        continue
      }
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      // A leading zero reads as octal elsewhere; refusing it keeps one text one address.
      if digits > 0, part == 0 { return nil }
      part = part * 10 + UInt32(byte - UInt8(ascii: "0"))
      digits += 1
      guard part <= 255 else { return nil }
    }
    guard digits > 0, parts == 3 else { return nil }
    return number << 8 | part
  }

  private static func parseV6(_ text: Text) -> UInt128? {
    var number: UInt128 = 0
    var groups = 0
    /// How many groups stand before the `::`.
    var gapAt: Int?
    var index = text.startIndex
    let end = text.endIndex
    if text.count >= 2, text[index] == colon, text[index + 1] == colon {
      gapAt = 0
      index += 2
    }
    while index < end {
      guard groups < 8 else { return nil }
      let groupStart = index
      var group: UInt128 = 0
      while index < end, let digit = hexadecimalValue(text[index]) {
        guard index - groupStart < 4 else { return nil }
        group = group << 4 | UInt128(digit)
        index += 1
      }
      if index < end, text[index] == UInt8(ascii: ".") {
        guard groups <= 6, let tail = parseV4(text[groupStart...]) else { return nil }
        number = number << 32 | UInt128(tail)
        groups += 2
        index = end
        break
      }
      guard index > groupStart else { return nil }
      number = number << 16 | group
      groups += 1
      if index == end { break }
      guard text[index] == colon else { return nil }
      index += 1
      // A single colon must be followed by a group; a double one may end the text.
      guard index < end else { return nil }
      if text[index] == colon {
        guard gapAt == nil else { return nil }
        gapAt = groups
        index += 1
      }
    }
    guard let gapAt else { return groups == 8 ? number : nil }
    guard groups < 8 else { return nil }
    let behind = groups - gapAt
    let low = behind == 0 ? 0 : number & (~0 >> UInt128(128 - 16 * behind))
    let high = gapAt == 0 ? 0 : (number >> UInt128(16 * behind)) << UInt128(128 - 16 * gapAt)
    return high | low
  }

  private static let colon = UInt8(ascii: ":")

  private static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
