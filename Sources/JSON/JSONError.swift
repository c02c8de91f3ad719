/// The first place where a document departs from the JSON grammar.
///
/// The description is, byte for byte, that of Go's encoding/json, since callers of the original plugins see and match
/// those texts: `invalid character '}' looking for beginning of object key string`.
///
/// Go learns of the end of the input by a blank that it adds. So a document which ends inside a number, a literal or an
/// escape is reported as having `' '` there; one which ends anywhere else as `unexpected end of JSON input`.
public struct JSONError: Error, Hashable, Sendable {
  /// What was wrong.
  public enum Code: Hashable, Sendable {
    /// The document ends where more must follow.
    case unexpectedEnd
    /// Something that begins no value stands where one must.
    case expectedValue
    /// Something other than a string stands where a key must.
    case expectedKey
    /// Something other than a colon follows a key.
    case afterKey
    /// Neither a comma nor the closing brace follows a member.
    case afterMember
    /// Neither a comma nor the closing bracket follows an element.
    case afterElement
    /// Something other than white space follows the document.
    case afterDocument
    /// A string contains a control character.
    case invalidString
    /// A backslash is followed by something that is no escape.
    case invalidEscape
    /// A `\u` is not followed by four hexadecimal digits.
    case invalidUnicodeEscape
    /// A minus sign is not followed by a digit.
    case invalidNumber
    /// A decimal point is not followed by a digit.
    case invalidFraction
    /// An exponent has no digits.
    case invalidExponent
    /// A word begins like `true`, `false` or `null` and goes on differently.
    case invalidLiteral
    /// More arrays and objects are open at once than the limit allows.
    case tooDeep
    /// A value is of another type than its place asks for, or a number that does not fit.
    case unexpectedType
  }

  /// What was wrong.
  public let code: Code
  /// The offset of the offending byte; the length of the document if it ended too early.
  public let offset: Int
  /// The offending byte, or the blank that stands for the end.
  let byte: UInt8
  /// The word and the byte that would have continued it, of `invalidLiteral` only.
  let expectation: Expectation?

  /// Where a literal was broken off.
  struct Expectation: Hashable, Sendable {
    var word: String
    var byte: UInt8
  }

  init(_ code: Code, at offset: Int, byte: UInt8, expectation: Expectation? = nil) {
    self.code = code
    self.offset = offset
    self.byte = byte
    self.expectation = expectation
  }
}

extension JSONError: CustomStringConvertible {
  /// The message of Go's encoding/json.
  public var description: String {
    guard let context else { return "unexpected end of JSON input" }
    return "invalid character \(Self.quoted(byte)) \(context)"
  }

  /// What the byte is out of place in; nil if the document has no more bytes.
  private var context: String? {
    switch code {
    case .unexpectedEnd: nil
    case .expectedValue: "looking for beginning of value"
    case .expectedKey: "looking for beginning of object key string"
    case .afterKey: "after object key"
    case .afterMember: "after object key:value pair"
    case .afterElement: "after array element"
    case .afterDocument: "after top-level value"
    case .invalidString: "in string literal"
    case .invalidEscape: "in string escape code"
    case .invalidUnicodeEscape: #"in \u hexadecimal character escape"#
    case .invalidNumber: "in numeric literal"
    case .invalidFraction: "after decimal point in numeric literal"
    case .invalidExponent: "in exponent of numeric literal"
    case .invalidLiteral: "in literal \(expectation?.word ?? "") (expecting \(Self.quoted(expectation?.byte ?? 0)))"
    case .tooDeep: "exceeded max depth"
    case .unexpectedType: "as a value of another type"
    }
  }

  /// Quotes the character whose number is that of the byte, even where the byte is only a part of a longer character:
  /// the first byte of a UTF-8 byte order mark reads `'ï'`.
  private static func quoted(_ byte: UInt8) -> String {
    switch byte {
    case 0x07: #"'\a'"#
    case 0x08: #"'\b'"#
    case 0x09: #"'\t'"#
    case 0x0A: #"'\n'"#
    case 0x0B: #"'\v'"#
    case 0x0C: #"'\f'"#
    case 0x0D: #"'\r'"#
    case UInt8(ascii: "'"): #"'\''"#
    case UInt8(ascii: "\\"): #"'\\'"#
    case ..<0x20, 0x7F: #"'\x\#(hexadecimal(byte))'"#
    // Of Latin-1 the controls, the no-break space and the soft hyphen are not printable.
    case 0x80...0xA0, 0xAD: #"'\u00\#(hexadecimal(byte))'"#
    default: "'\(Unicode.Scalar(byte))'"
    }
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
  }
}
