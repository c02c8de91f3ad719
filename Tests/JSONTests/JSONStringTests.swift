import JSON
import Testing

@Suite("Strings")
struct JSONStringTests {
  /// Parses a string literal of raw bytes, without its quotes.
  private func parsed(_ content: [UInt8]) throws -> String? {
    try JSON(parsing: [0x22] + content + [0x22]).stringValue
  }

  @Test(
    "escapes stand for their characters",
    arguments: [
      (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"), (#"a\u0041b"#, "aAb"), (#"\u0000"#, "\0"),
      (#"\u00e9"#, "\u{E9}"),
      (#"\u20AC\u20ac"#, "€€"), (#"\ud83d\ude00"#, "😀"), (#"\uD83D\uDE00!"#, "😀!"), (#"\ud800\udc00"#, "\u{10000}"),
      (#"\udbff\udfff"#, "\u{10FFFF}"), (#"\uffff"#, "\u{FFFF}"), (#"\u007f"#, "\u{7F}"), (#"x\\u0041"#, #"x\u0041"#),
      (#"é\n漢\t😀"#, "é\n漢\t😀"),
    ])
  func escapes(literal: String, text: String) throws {
    #expect(try bytes(parsed(Array(literal.utf8))) == bytes(text))
  }

  @Test(
    "a lone surrogate becomes the replacement character",
    arguments: [
      (#"\ud800"#, "\u{FFFD}"), (#"\udc00"#, "\u{FFFD}"), (#"\ud800\u0041"#, "\u{FFFD}A"), (#"\ud800A"#, "\u{FFFD}A"),
      (#"\ud800\n"#, "\u{FFFD}\n"), (#"\ud800\ud800"#, "\u{FFFD}\u{FFFD}"), (#"\ud800\ud83d\ude00"#, "\u{FFFD}😀"),
      (#"\udc00\ud800"#, "\u{FFFD}\u{FFFD}"), (#"\udfff\u0041"#, "\u{FFFD}A"), (#"\ud800\""#, "\u{FFFD}\""),
      (#"\ud83d\ude00\ude00"#, "😀\u{FFFD}"), (#"\ud800é"#, "\u{FFFD}é"),
    ])
  func loneSurrogates(literal: String, text: String) throws {
    #expect(try bytes(parsed(Array(literal.utf8))) == bytes(text))
  }

  @Test(
    "each byte of ill-formed text becomes a replacement character of its own",
    arguments: [
      ([0xFF], 1), ([0x80], 1), ([0xC0, 0x80], 2), ([0xC1, 0xBF], 2), ([0xC3], 1), ([0xE2, 0x82], 2),
      ([0xE0, 0x80, 0x80], 3),
      ([0xED, 0xA0, 0x80], 3), ([0xED, 0xBF, 0xBF], 3), ([0xF0, 0x9F, 0x98], 3), ([0xF0, 0x8F, 0xBF, 0xBF], 4),
      ([0xF4, 0x90, 0x80, 0x80], 4), ([0xF5, 0x80, 0x80, 0x80], 4), ([0xF8, 0x88, 0x80, 0x80, 0x80], 5),
    ] as [([UInt8], Int)])
  func illFormed(sequence: [UInt8], count: Int) throws {
    let text = String(repeating: "\u{FFFD}", count: count)
    #expect(try bytes(parsed(sequence)) == bytes(text))
    #expect(try bytes(parsed([0x61] + sequence + [0x62])) == bytes("a\(text)b"))
    #expect(try bytes(parsed(sequence + [0xC3, 0xA9])) == bytes("\(text)é"))
  }

  @Test("an ill-formed key is repaired like any string")
  func illFormedKey() throws {
    let value = try JSON(parsing: Array(#"{"a"#.utf8) + [0xE2, 0x82] + Array(#"":1}"#.utf8))
    #expect(value.objectValue?.members.first?.key == "a\u{FFFD}\u{FFFD}")
  }

  @Test("a truncated character at the end of the input is not read past it")
  func truncatedCharacter() {
    for tail in [[0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xF0]] as [[UInt8]] {
      #expect(parseError(of: [0x22] + tail)?.code == .unexpectedEnd)
    }
  }

  @Test("every scalar at the edges of the encoding passes unchanged, raw and escaped")
  func scalars() throws {
    let edges: [UInt32] = [
      0x20, 0x7E, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x3FFFF,
      0x40000, 0xFFFFF, 0x100000, 0x10FFFF,
    ]
    for scalar in edges.compactMap(Unicode.Scalar.init) {
      let text = String(scalar)
      #expect(try bytes(parsed(Array(text.utf8))) == bytes(text))
      let escaped = text.utf16.map {
        #"\u"# + String(repeating: "0", count: 4 - String($0, radix: 16).count) + String($0, radix: 16)
      }
      #expect(try bytes(parsed(Array(escaped.joined().utf8))) == bytes(text))
    }
  }

  @Test("long strings are read whole")
  func longStrings() throws {
    let plain = String(repeating: "0123456789", count: 10_000)
    #expect(try parsed(Array(plain.utf8)) == plain)
    let mixed = String(repeating: "aé漢😀", count: 10_000)
    #expect(try parsed(Array(mixed.utf8)) == mixed)
  }
}
