import JSON
import Testing

@Suite("Documents of the plugins")
struct JSONDocumentTests {
  @Test("an error document is written with four blanks and no newline at its end")
  func errorDocument() {
    let document: JSON = ["code": 7, "msg": "invalid characters found in network name", "details": "<a&b>"]
    let text = #"""
      {
          "code": 7,
          "msg": "invalid characters found in network name",
          "details": "\u003ca\u0026b\u003e"
      }
      """#
    #expect(document.text(JSONFormat(indentation: 4)) == text)
  }

  @Test("the text of a syntax error is itself written as a string")
  func nestedErrorText() throws {
    let error = try #require(parseError(of: [0x22, 0x01]))
    #expect(JSON.string(error.description).text() == #""invalid character '\\x01' in string literal""#)
    let mark = try #require(parseError(of: [0xEF, 0xBB, 0xBF, 0x7B, 0x7D]))
    #expect(
      bytes(JSON.string(mark.description).text()) == bytes(#""invalid character 'ï' looking for beginning of value""#))
  }

  @Test("ill-formed text is escaped in error documents and raw in results")
  func illFormedText() throws {
    let value = try JSON(parsing: [0x22, 0x61, 0xFF, 0x22])
    #expect(bytes(value.text(JSONFormat(escapesReplacementCharacter: true))) == bytes(#""a\ufffd""#))
    #expect(bytes(value.text()) == bytes("\"a\u{FFFD}\""))
  }

  @Test("a result is written in the order of its making")
  func result() {
    var result: JSONObject = ["cniVersion": "1.0.0"]
    result["ips"] = [["address": "10.1.2.3/16", "gateway": "10.1.0.1"]]
    result["routes"] = [["dst": "0.0.0.0/0"]]
    result["dns"] = [:]
    let text = """
      {
          "cniVersion": "1.0.0",
          "ips": [
              {
                  "address": "10.1.2.3/16",
                  "gateway": "10.1.0.1"
              }
          ],
          "routes": [
              {
                  "dst": "0.0.0.0/0"
              }
          ],
          "dns": {}
      }
      """
    #expect(JSON.object(result).text(JSONFormat(indentation: 4)) == text)
  }

  @Test("a syntax error counts even where the keys that matter were fine")
  func lateError() {
    let text = #"{"cniVersion": "1.0.0", "name": "web", "ipam": {"type": "host-local"}, "x": tru}"#
    #expect(parseError(of: text)?.description == "invalid character '}' in literal true (expecting 'e')")
    #expect(parseError(of: text + "}")?.offset == 79)
  }

  @Test(
    "a document of another encoding is refused at its first byte",
    arguments: [[0xFE, 0xFF], [0xFF, 0xFE]] as [[UInt8]])
  func otherEncodings(mark: [UInt8]) {
    let utf16 = mark + Array("{}".utf8).flatMap { mark[0] == 0xFE ? [0, $0] : [$0, 0] }
    #expect(parseError(of: utf16)?.offset == 0)
    #expect(parseError(of: Array(utf16.dropFirst(2)))?.code == (mark[0] == 0xFE ? .expectedValue : .expectedKey))
  }
}
