import CNI
import Testing

@Suite("Quoted text")
struct QuotedTextTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var text: String
    var quoted: String
    var testDescription: String { quoted }
  }

  @Test(
    "what prints stands as it is, everything else as an escape",
    arguments: [
      Case(text: "", quoted: #""""#),
      Case(text: "9.9.9", quoted: #""9.9.9""#),
      Case(text: " !#$%&'()*+,-./:;<=>?@[]^_`{|}~", quoted: ##"" !#$%&'()*+,-./:;<=>?@[]^_`{|}~""##),
      Case(text: "a\"b", quoted: #""a\"b""#),
      Case(text: "a\\b", quoted: #""a\\b""#),
      Case(text: "\u{07}\u{08}\u{0C}\n\r\t\u{0B}", quoted: #""\a\b\f\n\r\t\v""#),
      Case(text: "\r\n", quoted: #""\r\n""#),
      Case(text: "\0\u{01}\u{1B}\u{1F}", quoted: #""\x00\x01\x1b\x1f""#),
      Case(text: "\u{7F}", quoted: #""\x7f""#),
      Case(text: "\u{80}\u{85}\u{9F}", quoted: #""\u0080\u0085\u009f""#),
      Case(text: "\u{A0}", quoted: #""\u00a0""#),
      Case(text: "\u{AD}", quoted: #""\u00ad""#),
      Case(text: "\u{200B}", quoted: #""\u200b""#),
      Case(text: "\u{2028}\u{2029}", quoted: #""\u2028\u2029""#),
      Case(text: "\u{3000}", quoted: #""\u3000""#),
      Case(text: "\u{FEFF}", quoted: #""\ufeff""#),
      Case(text: "\u{E000}", quoted: #""\ue000""#),
      Case(text: "\u{E0001}", quoted: #""\U000e0001""#),
      Case(text: "\u{10FFFF}", quoted: #""\U0010ffff""#),
      Case(text: "é", quoted: #""é""#),
      Case(text: "Ω ≈ 漢字", quoted: #""Ω ≈ 漢字""#),
      Case(text: "😀", quoted: #""😀""#),
      Case(text: "\u{FFFD}", quoted: "\"\u{FFFD}\""),
    ])
  func table(example: Case) {
    // Compared as bytes: equal texts may differ in their composition.
    #expect(Array(QuotedText.quote(example.text.utf8).utf8) == Array(example.quoted.utf8))
  }

  @Test("letters keep their composition")
  func composition() {
    #expect(Array(QuotedText.quote("e\u{301}".utf8).utf8) == [0x22, 0x65, 0xCC, 0x81, 0x22])
    #expect(Array(QuotedText.quote("\u{301}".utf8).utf8) == [0x22, 0xCC, 0x81, 0x22])
  }

  struct Bytes: Sendable, CustomTestStringConvertible {
    var bytes: [UInt8]
    var quoted: String
    var testDescription: String { quoted }
  }

  @Test(
    "a byte that is not UTF-8 stands for itself",
    arguments: [
      Bytes(bytes: [0xFF], quoted: #""\xff""#),
      Bytes(bytes: [0x80], quoted: #""\x80""#),
      Bytes(bytes: [0xC3], quoted: #""\xc3""#),
      Bytes(bytes: [0xC3, 0x28], quoted: #""\xc3(""#),
      Bytes(bytes: [0xC0, 0xAF], quoted: #""\xc0\xaf""#),
      Bytes(bytes: [0xE2, 0x82], quoted: #""\xe2\x82""#),
      Bytes(bytes: [0xE2, 0x82, 0x61], quoted: #""\xe2\x82a""#),
      Bytes(bytes: [0xED, 0xA0, 0x80], quoted: #""\xed\xa0\x80""#),
      Bytes(bytes: [0xF0, 0x9F, 0x98], quoted: #""\xf0\x9f\x98""#),
      Bytes(bytes: [0xF4, 0x90, 0x80, 0x80], quoted: #""\xf4\x90\x80\x80""#),
      Bytes(bytes: [0x61, 0xFF, 0xC3, 0xA9, 0xFE, 0x7A], quoted: #""a\xffé\xfez""#),
    ])
  func invalid(example: Bytes) {
    #expect(QuotedText.quote(example.bytes) == example.quoted)
  }

  @Test("every ASCII character is quoted by the rule")
  func ascii() {
    let letters: [UInt8: Character] = [7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: "\"", 92: "\\"]
    for byte in UInt8(0)...0x7F {
      let content: String
      if let letter = letters[byte] {
        content = "\\\(letter)"
      } else if (0x20...0x7E).contains(byte) {
        content = String(decoding: [byte], as: UTF8.self)
      } else {
        content = (byte < 0x10 ? "\\x0" : "\\x") + String(byte, radix: 16)
      }
      #expect(QuotedText.quote([byte]) == "\"\(content)\"", "byte \(byte)")
    }
  }

  @Test("a slice is quoted from its own beginning")
  func slice() {
    let bytes = Array("xx;IP=\"1\"".utf8)
    #expect(QuotedText.quote(bytes[3...]) == #""IP=\"1\"""#)
  }

  @Test("white space is exactly what Unicode calls so")
  func whiteSpace() {
    let expected = Set(CNIEnvironmentTests.whiteSpace)
    for number in UInt32(0)...0xFFFF {
      guard let scalar = Unicode.Scalar(number) else { continue }
      guard WhiteSpace.contains(scalar) != expected.contains(number) else { continue }
      Issue.record("U+\(String(number, radix: 16))")
    }
  }
}
