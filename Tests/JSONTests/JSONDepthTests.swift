import JSON
import Testing

@Suite("Depth")
struct JSONDepthTests {
  private func nested(_ depth: Int, open: String, inner: String, close: String) -> [UInt8] {
    let text = String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
    return Array(text.utf8)
  }

  @Test("10,000 arrays are read, written, compared, hashed and destroyed")
  func arrays() throws {
    let document = nested(10_000, open: "[", inner: "", close: "]")
    let value = try JSON(parsing: document)
    #expect(try value == JSON(parsing: document))
    #expect(try value != JSON(parsing: nested(10_000, open: "[", inner: "0", close: "]")))
    #expect(try value.hashValue == JSON(parsing: document).hashValue)
    #expect(value.encoded() == document)
    #expect(try JSON(parsing: value.encoded(JSONFormat(indentation: 0))) == value)
  }

  @Test("10,000 objects are read, written, compared, hashed and destroyed")
  func objects() throws {
    let document = nested(10_000, open: #"{"a":"#, inner: "null", close: "}")
    let value = try JSON(parsing: document)
    #expect(try value == JSON(parsing: document))
    #expect(try value.hashValue == JSON(parsing: document).hashValue)
    #expect(value.encoded(JSONFormat(sortsKeys: true)) == document)
  }

  @Test("one level more is refused where it opens")
  func limit() throws {
    let arrays = try #require(parseError(of: nested(10_001, open: "[", inner: "", close: "]")))
    #expect(arrays.code == .tooDeep)
    #expect(arrays.offset == 10_000)
    #expect(arrays.description == "invalid character '[' exceeded max depth")
    let objects = try #require(parseError(of: nested(10_001, open: #"{"a":"#, inner: "1", close: "}")))
    #expect(objects.code == .tooDeep)
    #expect(objects.offset == 50_000)
    #expect(objects.description == "invalid character '{' exceeded max depth")
  }

  @Test("a container counts as a level even when it is empty")
  func emptyContainers() {
    let document = nested(10_000, open: #"{"a":"#, inner: "{}", close: "}")
    #expect(parseError(of: document)?.code == .tooDeep)
  }

  @Test("a million open brackets fail as fast as the limit allows")
  func hostile() {
    #expect(parseError(of: [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))?.offset == 10_000)
  }

  @Test("the limit counts containers that are open, not all of them")
  func siblings() throws {
    let value = try JSON(parsing: "[[1],[2],{},{\"a\":[]}]", maximumDepth: 3)
    #expect(value.arrayValue?.count == 4)
    #expect(throws: JSONError.self) { try JSON(parsing: "[[1],[2],{},{\"a\":[]}]", maximumDepth: 2) }
    #expect(try JSON(parsing: "1", maximumDepth: 0) == 1)
    #expect(parseError(of: Array("[]".utf8), maximumDepth: 0)?.code == .tooDeep)
  }
}
