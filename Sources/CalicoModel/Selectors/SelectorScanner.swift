/// Reads the tokens of the selector language from UTF-8.
///
/// The bytes belong to the caller, who lets the scanner live no longer than they do.
struct SelectorScanner {
  /// The most characters an identifier may have (Calico IPAM specification, section 4.7).
  static let identifierLimit = 512

  private let bytes: UnsafeBufferPointer<UInt8>
  /// Where the next token is read; never beyond the end.
  private(set) var offset = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The next byte, nil at the end.
  var byte: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private var byteAfterNext: UInt8? { offset + 1 < bytes.count ? bytes[offset + 1] : nil }

  /// Only space and tab are white space.
  mutating func skipBlanks() {
    while let byte, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { offset += 1 }
  }

  /// Passes over `expected` if it is the next byte.
  mutating func take(_ expected: Unicode.Scalar) -> Bool {
    guard byte == UInt8(ascii: expected) else { return false }
    offset += 1
    return true
  }

  /// Passes over `first` and `second` if they are the next two bytes.
  mutating func take(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Bool {
    guard byte == UInt8(ascii: first), byteAfterNext == UInt8(ascii: second) else { return false }
    offset += 2
    return true
  }

  /// Passes over a negation; `!=` is none.
  mutating func takeNegation() -> Bool {
    guard byteAfterNext != UInt8(ascii: "=") else { return false }
    return take("!")
  }

  /// Passes over as many identifier characters as there are; the result is empty if there is none.
  mutating func takeWord() -> String {
    let start = offset
    while let byte, Self.isIdentifier(byte) { offset += 1 }
    return text(from: start, to: offset)
  }

  /// Passes over an identifier of a permitted length.
  mutating func takeIdentifier() throws(SelectorError) -> String {
    let start = offset
    let word = takeWord()
    guard !word.isEmpty else { throw failure(.expectedIdentifier) }
    guard offset - start <= Self.identifierLimit else { throw SelectorError(.labelTooLong(word), at: start) }
    return word
  }

  /// Passes over a string in single or double quotes, in which no character has a special meaning.
  mutating func takeString() throws(SelectorError) -> String {
    guard let end = endOfString else { throw failure(.expectedString) }
    let start = offset + 1
    offset = end + 1
    return text(from: start, to: end)
  }

  /// The error of not finding what `code` names here.
  ///
  /// What is no token at all is reported as such wherever it stands: half an operator and a string without end.
  func failure(_ code: SelectorError.Code) -> SelectorError {
    let lone = byte != byteAfterNext
    return switch byte {
    case UInt8(ascii: "=") where lone: SelectorError(.expectedEquality, at: offset)
    case UInt8(ascii: "&") where lone: SelectorError(.expectedAnd, at: offset)
    case UInt8(ascii: "|") where lone: SelectorError(.expectedOr, at: offset)
    case UInt8(ascii: "'") where endOfString == nil: SelectorError(.unterminatedString, at: offset)
    case UInt8(ascii: "\"") where endOfString == nil: SelectorError(.unterminatedString, at: offset)
    default: SelectorError(code, at: offset)
    }
  }

  /// Where the string that begins here has its closing quote; nil if there is none or no string begins here.
  private var endOfString: Int? {
    guard let quote = byte, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
    return bytes[(offset + 1)...].firstIndex(of: quote)
  }

  private func text(from start: Int, to end: Int) -> String {
    String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
  }

  private static func isIdentifier(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    // A dot, a slash and the digits are neighbours.
    case UInt8(ascii: ".")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
