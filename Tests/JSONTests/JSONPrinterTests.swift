import JSON
import Testing

@Suite("Printing")
struct JSONPrinterTests {
  @Test("the compact form has no white space")
  func compact() {
    let value: JSON = ["a": [1, ["b": nil], []], "c": [:], "d": true, "e": "x y"]
    #expect(value.text() == #"{"a":[1,{"b":null},[]],"c":{},"d":true,"e":"x y"}"#)
  }

  @Test("the indented form has a line for each child and none for empty containers")
  func indented() {
    let value: JSON = ["code": 7, "list": [1, [2], ["a": false]], "none": [], "nothing": [:], "msg": "a/b"]
    let text = """
      {
          "code": 7,
          "list": [
              1,
              [
                  2
              ],
              {
                  "a": false
              }
          ],
          "none": [],
          "nothing": {},
          "msg": "a/b"
      }
      """
    #expect(value.text(JSONFormat(indentation: 4)) == text)
  }

  @Test("scalars and empty containers are the same in every format")
  func unindented() {
    for value in [nil, true, false, 1, "a", [], [:]] as [JSON] {
      #expect(value.text(JSONFormat(indentation: 2)) == value.text())
    }
  }

  @Test("an indentation of nothing still breaks lines")
  func zeroIndentation() {
    #expect((["a": [1, 2]] as JSON).text(JSONFormat(indentation: 0)) == "{\n\"a\": [\n1,\n2\n]\n}")
    #expect(([1] as JSON).text(JSONFormat(indentation: -3)) == "[\n1\n]")
  }

  @Test("keys are sorted by their bytes on every level, duplicates in their order")
  func sorted() {
    let value: JSON = ["b": 1, "a": [["z": 1, "y": 2]], "B": 3, "b": 0, "é": 4, "": 5, "😀": 6, "\u{FFFF}": 7, "aa": 8]
    let format = JSONFormat(sortsKeys: true)
    let text = "{\"\":5,\"B\":3,\"a\":[{\"y\":2,\"z\":1}],\"aa\":8,\"b\":1,\"b\":0,\"é\":4,\"\u{FFFF}\":7,\"😀\":6}"
    #expect(bytes(value.text(format)) == bytes(text))
    // Canonically equivalent keys have different bytes, and so a place of their own.
    let equivalent: JSON = ["\u{E9}": 1, "e\u{301}": 2]
    #expect(bytes(equivalent.text(format)) == bytes("{\"e\u{301}\":2,\"\u{E9}\":1}"))
  }

  @Test(
    "characters are escaped as Go does it",
    arguments: [
      ("<a href=\"x\">&</a>", #"\u003ca href=\"x\"\u003e\u0026\u003c/a\u003e"#),
      ("\u{2028}\u{2029}", #"\u2028\u2029"#), ("a\u{2028}b", #"a\u2028b"#),
      ("\u{2027}\u{202A}\u{2068}", "\u{2027}\u{202A}\u{2068}"),
      ("\u{8}\u{C}\n\r\t", #"\b\f\n\r\t"#), ("\0\u{1}\u{B}\u{1B}\u{1F}", #"\u0000\u0001\u000b\u001b\u001f"#),
      ("\u{7F}", "\u{7F}"), ("\\\"/'", #"\\\"/'"#), ("é漢😀", "é漢😀"), ("\u{FFFD}", "\u{FFFD}"), ("", ""),
      ("\u{FEFF}\u{FFFC}", "\u{FEFF}\u{FFFC}"),
    ])
  func escapes(text: String, literal: String) {
    #expect(bytes(JSON.string(text).text()) == bytes("\"\(literal)\""))
    #expect(bytes(JSON.object([text: 1]).text()) == bytes("{\"\(literal)\":1}"))
  }

  @Test("the replacement character is escaped on demand, and its neighbours are not")
  func replacementCharacter() {
    let format = JSONFormat(escapesReplacementCharacter: true)
    let value: JSON = ["\u{FFFD}k": "a\u{FFFD}\u{FFFD}b\u{FFFC}\u{FFFE}\u{FEFF}"]
    #expect(bytes(value.text(format)) == bytes("{\"\\ufffdk\":\"a\\ufffd\\ufffdb\u{FFFC}\u{FFFE}\u{FEFF}\"}"))
    #expect(bytes(value.text()) == bytes("{\"\u{FFFD}k\":\"a\u{FFFD}\u{FFFD}b\u{FFFC}\u{FFFE}\u{FEFF}\"}"))
  }

  @Test("every character below U+3000 survives a round trip")
  func everyCharacter() throws {
    let text = String(String.UnicodeScalarView((0..<0x3000 as Range<UInt32>).compactMap(Unicode.Scalar.init)))
    let value = JSON.string(text)
    for escapes in [false, true] {
      let encoded = value.encoded(JSONFormat(escapesReplacementCharacter: escapes))
      #expect(encoded.allSatisfy { $0 >= 0x20 })
      #expect(try JSON(parsing: encoded) == value)
    }
  }

  @Test("appending keeps what is there")
  func appending() {
    var output = Array("> ".utf8)
    ([1] as JSON).append(to: &output)
    (nil as JSON).append(to: &output, JSONFormat(indentation: 2))
    #expect(String(decoding: output, as: UTF8.self) == "> [1]null")
  }

  @Test("formats are values")
  func formats() {
    #expect(JSONFormat() == .compact)
    #expect(JSONFormat(indentation: 2) != .compact)
    #expect(Set([JSONFormat(sortsKeys: true), JSONFormat(sortsKeys: true)]).count == 1)
  }
}
