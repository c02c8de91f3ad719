/// Recognises the tokens of a document, byte by byte in order, so that the first error is the one reported.
struct JSONScanner {
  let bytes: UnsafeRawBufferPointer
  private(set) var position = 0
  /// The text of the string at hand, if it cannot be taken from the document as it is.
  private var text: [UInt8] = []

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// The byte at the position; at the end a blank, as Go has it, which ends a number and is wrong in most other tokens.
  private var current: UInt8 {
    position < bytes.count ? bytes[position] : UInt8(ascii: " ")
  }

  /// An error at the position.
  func error(_ code: JSONError.Code) -> JSONError {
    JSONError(code, at: position, byte: current)
  }

  /// Continues at another offset, inside or at the end of the document.
  mutating func move(to offset: Int) {
    position = offset
  }

  /// Steps over a byte that has been looked at.
  mutating func advance() {
    position += 1
  }

  /// Skips white space and looks at the first byte behind it.
  mutating func nextToken() throws(JSONError) -> UInt8 {
    skipWhiteSpace()
    guard position < bytes.count else { throw error(.unexpectedEnd) }
    return bytes[position]
  }

  /// Demands that only white space follows.
  mutating func expectEnd() throws(JSONError) {
    skipWhiteSpace()
    guard position == bytes.count else { throw error(.afterDocument) }
  }

  private mutating func skipWhiteSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
      default: return
      }
    }
  }

  /// Scans `true`, `false` or `null`, of which the first letter has been seen.
  mutating func scanLiteral(_ word: String) throws(JSONError) {
    position += 1
    for byte in word.utf8.dropFirst() {
      guard current == byte else {
        let expectation = JSONError.Expectation(word: word, byte: byte)
        throw JSONError(.invalidLiteral, at: position, byte: current, expectation: expectation)
      }
      position += 1
    }
  }

  /// Scans a number, of which the minus sign or the first digit has been seen.
  mutating func scanNumber() throws(JSONError) -> JSONNumber {
    let start = position
    if current == UInt8(ascii: "-") {
      position += 1
    }
    // A zero ends the integer part: in `01` the number is 0, and the 1 is out of place.
    if current == UInt8(ascii: "0") {
      position += 1
    } else {
      try skipDigits(orThrow: .invalidNumber)
    }
    if current == UInt8(ascii: ".") {
      position += 1
      try skipDigits(orThrow: .invalidFraction)
    }
    if current | 0x20 == UInt8(ascii: "e") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") {
        position += 1
      }
      try skipDigits(orThrow: .invalidExponent)
    }
    return JSONNumber(checkedLiteral: string(from: start))
  }

  /// Scans a number, of which the minus sign or the first digit has been seen, for its value.
  ///
  /// - Returns: the digits of the integer part as a number, and whether that is all there is and it fits 64 bits.
  /// - Throws: `JSONError` when it is no number.
  mutating func scanMagnitude() throws(JSONError) -> (magnitude: UInt64, isInteger: Bool) {
    if current == UInt8(ascii: "-") {
      position += 1
    }
    var magnitude: UInt64 = 0
    var fits = true
    let start = position
    // As everywhere, a zero ends the integer part.
    let isZero = current == UInt8(ascii: "0")
    while case let digit = current &- UInt8(ascii: "0"), digit <= 9, !isZero || position == start {
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      magnitude = sum
      fits = fits && !overflow && !carry
      position += 1
    }
    guard position > start else { throw error(.invalidNumber) }
    if current == UInt8(ascii: ".") {
      fits = false
      position += 1
      try skipDigits(orThrow: .invalidFraction)
    }
    if current | 0x20 == UInt8(ascii: "e") {
      fits = false
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") {
        position += 1
      }
      try skipDigits(orThrow: .invalidExponent)
    }
    return (magnitude, fits)
  }

  private mutating func skipDigits(orThrow code: JSONError.Code) throws(JSONError) {
    let start = position
    while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) {
      position += 1
    }
    guard position > start else { throw error(code) }
  }

  /// Makes a string of the ASCII bytes between an offset and the position.
  private func string(from start: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
  }
}

// MARK: - Strings

extension JSONScanner {
  /// Scans a string, of which the opening quote has been seen.
  mutating func scanString() throws(JSONError) -> String {
    position += 1
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        let string = string(from: start)
        position += 1
        return string
      case UInt8(ascii: "\\"), ..<0x20, 0x80...:
        return try decodeString(from: start)
      default:
        position += 1
      }
    }
    throw error(.unexpectedEnd)
  }

  /// Scans a string, of which the opening quote has been seen, without copying plain text.
  mutating func scanText() throws(JSONError) -> JSONText {
    position += 1
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        let raw = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        position += 1
        return JSONText(raw: raw, decoded: nil)
      case UInt8(ascii: "\\"), ..<0x20, 0x80...:
        let text = try decodeString(from: start)
        return JSONText(raw: UnsafeRawBufferPointer(rebasing: bytes[start..<position - 1]), decoded: text)
      default:
        position += 1
      }
    }
    throw error(.unexpectedEnd)
  }

  /// Scans the rest of a string that has escapes or characters beyond ASCII.
  private mutating func decodeString(from start: Int) throws(JSONError) -> String {
    text.removeAll(keepingCapacity: true)
    text.append(contentsOf: bytes[start..<position])
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        try decodeEscape()
      case ..<0x20:
        throw error(.invalidString)
      case 0x80...:
        copyCharacter()
      case let byte:
        text.append(byte)
        position += 1
      }
    }
    throw error(.unexpectedEnd)
  }

  private mutating func decodeEscape() throws(JSONError) {
    position += 1
    switch current {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(current)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): return try decodeUnicodeEscape()
    default: throw error(.invalidEscape)
    }
    position += 1
  }

  /// Decodes the escape whose `u` is at the position, and with a high surrogate the low one that belongs to it.
  private mutating func decodeUnicodeEscape() throws(JSONError) {
    let unit = try scanCodeUnit()
    guard UTF16.isLeadSurrogate(unit), position + 1 < bytes.count,
      bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
    else {
      // A surrogate alone is no scalar.
      append(Unicode.Scalar(unit) ?? "\u{FFFD}")
      return
    }
    let second = position
    position += 1
    let low = try scanCodeUnit()
    guard UTF16.isTrailSurrogate(low) else {
      // The second escape stands for itself, and may begin a pair of its own.
      append("\u{FFFD}")
      position = second
      return
    }
    append(Unicode.Scalar(0x10000 + UInt32(unit & 0x3FF) << 10 + UInt32(low & 0x3FF)) ?? "\u{FFFD}")
  }

  /// Scans the four digits behind the `u` at the position.
  private mutating func scanCodeUnit() throws(JSONError) -> UInt16 {
    position += 1
    var unit: UInt16 = 0
    for _ in 0..<4 {
      let digit: UInt8
      switch current {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = current - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = current - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = current - UInt8(ascii: "A") + 10
      default: throw error(.invalidUnicodeEscape)
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }

  private mutating func append(_ scalar: Unicode.Scalar) {
    text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }

  /// Copies the character at the position, or the replacement character for a byte that begins no well-formed one.
  ///
  /// Swift's own repair would make one replacement of a truncated sequence; Go makes one of each of its bytes.
  private mutating func copyCharacter() {
    let length = characterLength()
    if length == 0 {
      append("\u{FFFD}")
      position += 1
    } else {
      text.append(contentsOf: bytes[position..<position + length])
      position += length
    }
  }

  /// The number of bytes of the character at the position, or 0 if it is not well-formed (Unicode 16, table 3-7).
  private func characterLength() -> Int {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch bytes[position] {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return 0
    }
    guard position + length <= bytes.count, second.contains(bytes[position + 1]) else { return 0 }
    for index in position + 2..<position + length where bytes[index] & 0xC0 != 0x80 {
      return 0
    }
    return length
  }
}
