import JSON
import Testing

@Suite("Parsing")
struct JSONParsingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var text: String
    var value: JSON
    var testDescription: String { text }
  }

  @Test(
    "every kind of value is read",
    arguments: [
      Case(text: "null", value: nil),
      Case(text: "true", value: true),
      Case(text: "false", value: false),
      Case(text: "0", value: 0),
      Case(text: "-12", value: -12),
      Case(text: #""""#, value: ""),
      Case(text: #""eth0""#, value: "eth0"),
      Case(text: "[]", value: []),
      Case(text: "{}", value: [:]),
      Case(text: "[1,2,3]", value: [1, 2, 3]),
      Case(text: "[[],[[]],{}]", value: [[], [[]], [:]]),
      Case(text: #"{"a":1}"#, value: ["a": 1]),
      Case(text: #"{"a":{"b":[{"c":null}]},"d":[]}"#, value: ["a": ["b": [["c": nil]]], "d": []]),
      Case(text: #"[{"a":[1,{"b":2}],"c":3},4]"#, value: [["a": [1, ["b": 2]], "c": 3], 4]),
    ])
  func kinds(example: Case) throws {
    #expect(try JSON(parsing: example.text) == example.value)
    #expect(try JSON(parsing: example.text).text() == example.text)
  }

  @Test("white space may stand around every token")
  func whiteSpace() throws {
    let text = "\t{ \"a\"\n:\r[ 1 , 2\t] ,\"b\" : { } , \"c\":[ ] }\r\n "
    #expect(try JSON(parsing: text) == ["a": [1, 2], "b": [:], "c": []])
  }

  @Test(
    "other white space is refused",
    arguments: [[0x0B], [0x0C], [0x00], [0xC2, 0xA0], [0xE2, 0x80, 0xA8], [0xEF, 0xBB, 0xBF]] as [[UInt8]])
  func otherWhiteSpace(bytes: [UInt8]) {
    #expect(parseError(of: bytes + Array("1".utf8))?.code == .expectedValue)
    #expect(parseError(of: Array("1".utf8) + bytes)?.code == .afterDocument)
  }

  @Test(
    "extensions of the grammar are refused",
    arguments: [
      "[1,]", "[,1]", "{,}", #"{"a":1,}"#, "// c\n1", "/**/1", "1 // c", "'a'", "{a:1}", "NaN", "Infinity", "-Infinity",
      "+1", ".5", "5.", "0x10", "01", "-01", "1_000", "True", "NULL", "undefined", #""\x41""#, #""\'""#, #""\u{41}""#,
      "[1 2]", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "\"a\nb\"", "1 2", "[] []", "", " ", "[", "{", "]", "}", ":", ",",
      "[}",
      "{]", #"{"a"}"#, #"{"a":}"#, #"{1:2}"#, #"{null:2}"#, "- 1", "1e", "1e+", "1.e1", "--1", "tru", "nul", "falsee",
    ])
  func extensions(text: String) {
    #expect(parseError(of: text) != nil)
  }

  @Test("a slice is parsed for itself, and offsets count from its first byte")
  func slices() throws {
    let whole = Array(#"xx{"a":1}yy"#.utf8)
    #expect(try JSON(parsing: whole[2..<9]) == ["a": 1])
    #expect(throws: JSONError.self) { try JSON(parsing: whole[2...]) }
    let offset: Int?
    do throws(JSONError) {
      _ = try JSON(parsing: whole[2...])
      offset = nil
    } catch {
      offset = error.offset
    }
    #expect(offset == 7)
  }

  @Test("raw memory is parsed in place")
  func rawMemory() throws {
    let value = try Array("[true]".utf8).withUnsafeBytes { try JSON(parsing: $0) }
    #expect(value == [true])
    #expect(throws: JSONError.self) { try JSON(parsing: UnsafeRawBufferPointer(start: nil, count: 0)) }
  }

  @Test("many children of one container keep their order")
  func width() throws {
    let text = "[" + (0..<5_000).map { "[\($0),{\"k\($0)\":\($0)}]" }.joined(separator: ",") + "]"
    let value = try JSON(parsing: text)
    #expect(value.arrayValue?.count == 5_000)
    #expect(value.arrayValue?[4_321] == [4_321, ["k4321": 4_321]])
    #expect(value.text() == text)
  }

  @Test("accessors answer for their own kind alone")
  func accessors() {
    let values: [JSON] = [nil, true, 1, "a", [1], ["a": 1]]
    #expect(values.map(\.kindName) == ["null", "bool", "number", "string", "array", "object"])
    #expect(values.map(\.boolValue) == [nil, true, nil, nil, nil, nil])
    #expect(values.map(\.numberValue) == [nil, nil, 1, nil, nil, nil])
    #expect(values.map(\.stringValue) == [nil, nil, nil, "a", nil, nil])
    #expect(values.map(\.arrayValue) == [nil, nil, nil, nil, [1], nil])
    #expect(values.map(\.objectValue) == [nil, nil, nil, nil, nil, ["a": 1]])
  }

  @Test("the samples survive a round trip in every format", arguments: Sample.all)
  func samples(text: String) throws {
    let value = try JSON(parsing: text)
    for indentation in [nil, 0, 2, 4] as [Int?] {
      let format = JSONFormat(indentation: indentation)
      #expect(try JSON(parsing: value.encoded(format)) == value)
    }
  }
}
