import JSON
import Testing

@Suite("Error messages")
struct JSONErrorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var input: [UInt8]
    var code: JSONError.Code
    var offset: Int
    var text: String
    var testDescription: String { String(decoding: input, as: UTF8.self) }

    init(_ input: String, _ code: JSONError.Code, at offset: Int, _ text: String) {
      self.init(Array(input.utf8), code, at: offset, text)
    }

    init(_ input: [UInt8], _ code: JSONError.Code, at offset: Int, _ text: String) {
      self.input = input
      self.code = code
      self.offset = offset
      self.text = text
    }
  }

  private static let structure = [
    Case("hello", .expectedValue, at: 0, "invalid character 'h' looking for beginning of value"),
    Case("[1,]", .expectedValue, at: 3, "invalid character ']' looking for beginning of value"),
    Case("[,", .expectedValue, at: 1, "invalid character ',' looking for beginning of value"),
    Case("[}", .expectedValue, at: 1, "invalid character '}' looking for beginning of value"),
    Case(#"{"a":}"#, .expectedValue, at: 5, "invalid character '}' looking for beginning of value"),
    Case("+1", .expectedValue, at: 0, "invalid character '+' looking for beginning of value"),
    Case("NaN", .expectedValue, at: 0, "invalid character 'N' looking for beginning of value"),
    Case("'a'", .expectedValue, at: 0, #"invalid character '\'' looking for beginning of value"#),
    Case(#"{"a":1,}"#, .expectedKey, at: 7, "invalid character '}' looking for beginning of object key string"),
    Case("{a:1}", .expectedKey, at: 1, "invalid character 'a' looking for beginning of object key string"),
    Case("{'a':1}", .expectedKey, at: 1, #"invalid character '\'' looking for beginning of object key string"#),
    Case("{ ]", .expectedKey, at: 2, "invalid character ']' looking for beginning of object key string"),
    Case("{} x", .afterDocument, at: 3, "invalid character 'x' after top-level value"),
    Case("{}{}", .afterDocument, at: 2, "invalid character '{' after top-level value"),
    Case("1\"", .afterDocument, at: 1, #"invalid character '"' after top-level value"#),
    Case(#"{"a":1 "b":2}"#, .afterMember, at: 7, #"invalid character '"' after object key:value pair"#),
    Case(#"{"a":1]"#, .afterMember, at: 6, "invalid character ']' after object key:value pair"),
    Case(#"{"a":[]x"#, .afterMember, at: 7, "invalid character 'x' after object key:value pair"),
    Case("[1 x]", .afterElement, at: 3, "invalid character 'x' after array element"),
    Case("[1}", .afterElement, at: 2, "invalid character '}' after array element"),
    Case("[{}:", .afterElement, at: 3, "invalid character ':' after array element"),
    Case(#"{"a" 1}"#, .afterKey, at: 5, "invalid character '1' after object key"),
    Case(#"{"a"}"#, .afterKey, at: 4, "invalid character '}' after object key"),
  ]

  private static let scalars = [
    Case("01", .afterDocument, at: 1, "invalid character '1' after top-level value"),
    Case("[01]", .afterElement, at: 2, "invalid character '1' after array element"),
    Case("-01", .afterDocument, at: 2, "invalid character '1' after top-level value"),
    Case("-a", .invalidNumber, at: 1, "invalid character 'a' in numeric literal"),
    Case("- 1", .invalidNumber, at: 1, "invalid character ' ' in numeric literal"),
    Case("[-]", .invalidNumber, at: 2, "invalid character ']' in numeric literal"),
    Case("1.x", .invalidFraction, at: 2, "invalid character 'x' after decimal point in numeric literal"),
    Case("1.e5", .invalidFraction, at: 2, "invalid character 'e' after decimal point in numeric literal"),
    Case("1ex", .invalidExponent, at: 2, "invalid character 'x' in exponent of numeric literal"),
    Case("1E+-1", .invalidExponent, at: 3, "invalid character '-' in exponent of numeric literal"),
    Case("0e]", .invalidExponent, at: 2, "invalid character ']' in exponent of numeric literal"),
    Case("1x", .afterDocument, at: 1, "invalid character 'x' after top-level value"),
    Case("tx", .invalidLiteral, at: 1, "invalid character 'x' in literal true (expecting 'r')"),
    Case("tr\"", .invalidLiteral, at: 2, #"invalid character '"' in literal true (expecting 'u')"#),
    Case("truE", .invalidLiteral, at: 3, "invalid character 'E' in literal true (expecting 'e')"),
    Case("fx", .invalidLiteral, at: 1, "invalid character 'x' in literal false (expecting 'a')"),
    Case("fax", .invalidLiteral, at: 2, "invalid character 'x' in literal false (expecting 'l')"),
    Case("falx", .invalidLiteral, at: 3, "invalid character 'x' in literal false (expecting 's')"),
    Case("fals,", .invalidLiteral, at: 4, "invalid character ',' in literal false (expecting 'e')"),
    Case("[nil]", .invalidLiteral, at: 2, "invalid character 'i' in literal null (expecting 'u')"),
    Case("nu l", .invalidLiteral, at: 2, "invalid character ' ' in literal null (expecting 'l')"),
    Case("nullx", .afterDocument, at: 4, "invalid character 'x' after top-level value"),
    Case("\"a\u{1}\"", .invalidString, at: 2, #"invalid character '\x01' in string literal"#),
    Case("\"é\n\"", .invalidString, at: 3, #"invalid character '\n' in string literal"#),
    Case(#""\q\#u{1}""#, .invalidEscape, at: 2, "invalid character 'q' in string escape code"),
    Case(#""\'""#, .invalidEscape, at: 2, #"invalid character '\'' in string escape code"#),
    Case(#""\u12g4""#, .invalidUnicodeEscape, at: 5, #"invalid character 'g' in \u hexadecimal character escape"#),
    Case(#""\u12""#, .invalidUnicodeEscape, at: 5, #"invalid character '"' in \u hexadecimal character escape"#),
    Case(#""\ud800\u""#, .invalidUnicodeEscape, at: 9, #"invalid character '"' in \u hexadecimal character escape"#),
    Case(#""\ud800\q""#, .invalidEscape, at: 8, "invalid character 'q' in string escape code"),
  ]

  @Test("the first wrong byte is named with what it is out of place in", arguments: structure + scalars)
  func wrongBytes(example: Case) throws {
    let error = try #require(parseError(of: example.input))
    #expect(error.description == example.text)
    #expect(error.code == example.code)
    #expect(error.offset == example.offset)
  }

  @Test(
    "a document that ends between tokens or in a string ends unexpectedly",
    arguments: [
      "", " ", "\n\t", "[", "[ ", "[1", "[1 ", "[1,", "[1,2", "{", #"{""#, #"{"a"#, #"{"a""#, #"{"a":"#, #"{"a":1"#,
      #"{"a":1,"#, #"{"a":1, "#, #"""#, #""a"#, #""é"#, #""\n"#, #""\u00e9"#, #""\ud800"#, "[true", "[[]", "{\"a\":{}",
    ])
  func unexpectedEnd(text: String) throws {
    let error = try #require(parseError(of: text))
    #expect(error.description == "unexpected end of JSON input")
    #expect(error.code == .unexpectedEnd)
    #expect(error.offset == text.utf8.count)
  }

  @Test(
    "a document that ends inside another token is reported with a blank there",
    arguments: [
      Case("tru", .invalidLiteral, at: 3, "invalid character ' ' in literal true (expecting 'e')"),
      Case("f", .invalidLiteral, at: 1, "invalid character ' ' in literal false (expecting 'a')"),
      Case("[nul", .invalidLiteral, at: 4, "invalid character ' ' in literal null (expecting 'l')"),
      Case("-", .invalidNumber, at: 1, "invalid character ' ' in numeric literal"),
      Case("1.", .invalidFraction, at: 2, "invalid character ' ' after decimal point in numeric literal"),
      Case("1e", .invalidExponent, at: 2, "invalid character ' ' in exponent of numeric literal"),
      Case("1e+", .invalidExponent, at: 3, "invalid character ' ' in exponent of numeric literal"),
      Case(#""\"#, .invalidEscape, at: 2, "invalid character ' ' in string escape code"),
      Case(#""\u"#, .invalidUnicodeEscape, at: 3, #"invalid character ' ' in \u hexadecimal character escape"#),
      Case(#""\u00e"#, .invalidUnicodeEscape, at: 6, #"invalid character ' ' in \u hexadecimal character escape"#),
      Case(#""\ud800\"#, .invalidEscape, at: 8, "invalid character ' ' in string escape code"),
    ])
  func endInsideToken(example: Case) throws {
    let error = try #require(parseError(of: example.input))
    #expect(error.description == example.text)
    #expect(error.code == example.code)
    #expect(error.offset == example.offset)
  }

  @Test("a byte is quoted as the character of its number")
  func quoting() {
    let special: [UInt8: String] = [
      0x00: #"\x00"#, 0x01: #"\x01"#, 0x07: #"\a"#, 0x08: #"\b"#, 0x0B: #"\v"#, 0x0C: #"\f"#, 0x1F: #"\x1f"#,
      0x21: "!", 0x27: #"\'"#, 0x5C: #"\\"#, 0x60: "`", 0x7E: "~", 0x7F: #"\x7f"#, 0x80: #"\u0080"#, 0x9F: #"\u009f"#,
      0xA0: #"\u00a0"#, 0xA1: "¡", 0xAC: "¬", 0xAD: #"\u00ad"#, 0xAE: "®", 0xEF: "ï", 0xFF: "ÿ",
    ]
    for (byte, quoted) in special {
      let text = parseError(of: [byte])?.description
      #expect(text == "invalid character '\(quoted)' looking for beginning of value")
    }
    #expect(parseError(of: "1\t\n\r\"")?.description == #"invalid character '"' after top-level value"#)
    #expect(parseError(of: "\"\t")?.description == #"invalid character '\t' in string literal"#)
    #expect(parseError(of: "\"\r")?.description == #"invalid character '\r' in string literal"#)
  }

  @Test("every prefix of a document is refused, since all end with a bracket", arguments: Sample.all)
  func prefixes(text: String) {
    let whole = Array(text.utf8)
    for length in whole.indices {
      #expect(parseError(of: Array(whole[..<length]))?.offset == length)
    }
  }

  @Test("a byte either begins a value, is white space or is refused where it stands")
  func firstBytes() {
    let beginnings = Set(#"{["-0123456789tfn"#.utf8)
    let whiteSpace = Set(" \t\n\r".utf8)
    for byte in UInt8.min...UInt8.max where !beginnings.contains(byte) {
      let error = parseError(of: [UInt8(ascii: "["), byte])
      switch byte {
      case UInt8(ascii: "]"): #expect(error == nil)
      case _ where whiteSpace.contains(byte): #expect(error?.code == .unexpectedEnd)
      default: #expect(error?.code == .expectedValue && error?.offset == 1, "byte \(byte)")
      }
    }
  }

  @Test("in a string exactly the control characters below the blank are refused")
  func stringBytes() {
    for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
      let error = parseError(of: [0x22, 0x61, byte, 0x22])
      #expect(error?.code == (byte < 0x20 ? .invalidString : nil), "byte \(byte)")
      #expect(error?.offset == (byte < 0x20 ? 2 : nil), "byte \(byte)")
    }
  }

  @Test("a backslash is followed by one of nine characters")
  func escapeBytes() {
    let escapes = Set(#"bfnrt/\""#.utf8)
    for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "u") {
      let error = parseError(of: [0x22, UInt8(ascii: "\\"), byte, 0x22])
      #expect(error?.code == (escapes.contains(byte) ? nil : .invalidEscape), "byte \(byte)")
    }
    #expect(parseError(of: #""\u0020""#) == nil)
  }

  @Test("errors are equal if they are of the same kind at the same place")
  func equality() {
    #expect(parseError(of: "[x") == parseError(of: "[x]"))
    #expect(parseError(of: "[x") != parseError(of: "[y"))
    #expect(parseError(of: "[x") != parseError(of: " [x"))
  }
}
