extension String {
  /// Returns whether an object key names a field, regardless of case.
  ///
  /// Go's encoding/json, whose documents we read, matches keys under simple Unicode case folding. For a field name of
  /// ASCII letters that means the letters in either case, `ſ` (U+017F) for `s` and the Kelvin sign (U+212A) for `k`;
  /// these and no other characters are folded here.
  ///
  /// - Parameter name: The name of the field, in ASCII.
  /// - Returns: True if the whole key is the name, apart from case.
  public func matchesFieldName(_ name: String) -> Bool {
    var key = utf8.makeIterator()
    var field = name.utf8.makeIterator()
    while let expected = Self.nextFolded(&field) {
      guard Self.nextFolded(&key) == expected else { return false }
    }
    return key.next() == nil
  }

  /// Returns whether two strings consist of the same bytes.
  ///
  /// `==` would also equate canonically equivalent ones, which are different keys to every other JSON reader.
  func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }

  /// Takes the next letter in lower case, or the next byte of anything else.
  private static func nextFolded(_ bytes: inout String.UTF8View.Iterator) -> UInt8? {
    guard let byte = bytes.next() else { return nil }
    var ahead = bytes
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"):
      return byte | 0x20
    case 0xC5 where ahead.next() == 0xBF:
      bytes = ahead
      return UInt8(ascii: "s")
    case 0xE2 where ahead.next() == 0x84 && ahead.next() == 0xAA:
      bytes = ahead
      return UInt8(ascii: "k")
    default:
      return byte
    }
  }
}
