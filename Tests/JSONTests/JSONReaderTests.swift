import JSON
import Testing

@Suite("Reading without a tree")
struct JSONReaderTests {
  /// What a reader function makes of a document, or the error that it ends with.
  private func read<Value>(
    _ text: String, _ body: (inout JSONReader) throws(JSONError) -> Value
  ) -> Result<Value, JSONError> {
    do throws(JSONError) {
      return .success(try JSONReader.read(Array(text.utf8), body))
    } catch {
      return .failure(error)
    }
  }

  private func code<Value>(
    _ text: String, _ body: (inout JSONReader) throws(JSONError) -> Value
  ) -> JSONError.Code? {
    guard case .failure(let error) = read(text, body) else { return nil }
    return error.code
  }

  private func integer<Integer: FixedWidthInteger>(_ text: String, _: Integer.Type) -> Result<Integer, JSONError> {
    read(text) { reader throws(JSONError) in try reader.readInteger() }
  }

  @Test("an integer is exact up to the limits of its type")
  func integers() throws {
    #expect(try integer("18446744073709551615", UInt64.self).get() == .max)
    #expect(try integer("9223372036854775807", Int64.self).get() == .max)
    #expect(try integer("-9223372036854775808", Int64.self).get() == .min)
    #expect(try integer(" \n-2147483648\t", Int32.self).get() == .min)
    #expect(try integer("0", UInt8.self).get() == 0)
    #expect(try integer("-0", UInt8.self).get() == 0)
    #expect(try integer("9007199254740993", Int.self).get() == 9_007_199_254_740_993)
  }

  @Test(
    "a number that is no integer, or does not fit, is of the wrong type, where it begins",
    arguments: [
      "18446744073709551616", "99999999999999999999999999999999999999", "-1", "1.0", "1e3", "1E-2", "-0.0",
      "18446744073709551615.0", "\"1\"", "null", "true", "[1]", "{}",
    ])
  func wrongIntegers(text: String) throws {
    guard case .failure(let error) = integer("  " + text, UInt64.self) else {
      Issue.record("\(text) is no UInt64")
      return
    }
    #expect(error.code == .unexpectedType)
    #expect(error.offset == 2)
  }

  @Test("the limits are those of the type asked for")
  func narrowIntegers() {
    #expect(throws: JSONError.self) { try integer("9223372036854775808", Int64.self).get() }
    #expect(throws: JSONError.self) { try integer("-9223372036854775809", Int64.self).get() }
    #expect(throws: JSONError.self) { try integer("2147483648", Int32.self).get() }
    #expect(throws: JSONError.self) { try integer("256", UInt8.self).get() }
  }

  @Test(
    "a malformed number is an error of the grammar",
    arguments: [
      ("-", JSONError.Code.invalidNumber), ("-a", .invalidNumber), ("1.", .invalidFraction), ("1.e1", .invalidFraction),
      ("1e", .invalidExponent), ("1e+", .invalidExponent), ("01", .afterDocument), ("-01", .afterDocument),
      ("", .unexpectedEnd), (" ", .unexpectedEnd),
    ])
  func malformedNumbers(text: String, expected: JSONError.Code) {
    #expect(code(text) { reader throws(JSONError) in try reader.readInteger(as: Int.self) } == expected)
  }

  @Test("truth values and null are taken, and nothing else is taken for them")
  func literals() throws {
    func bool(_ text: String) -> Result<Bool, JSONError> {
      read(text) { reader throws(JSONError) in try reader.readBool() }
    }
    #expect(try bool(" true").get())
    #expect(try !bool("false ").get())
    for text in ["null", "1", "\"true\"", "[]"] {
      #expect(code(text) { reader throws(JSONError) in try reader.readBool() } == .unexpectedType)
    }
    for text in ["tru", "falsE", "t"] {
      #expect(code(text) { reader throws(JSONError) in try reader.readBool() } == .invalidLiteral)
    }
    let isNull = read(" null") { reader throws(JSONError) in try reader.readNull() }
    #expect(try isNull.get())
    let other = read(" 7") { reader throws(JSONError) in
      #expect(try !reader.readNull())
      return try reader.readInteger(as: Int.self)
    }
    #expect(try other.get() == 7)
    #expect(code("nul") { reader throws(JSONError) in try reader.readNull() } == .invalidLiteral)
  }

  @Test("a string is read with its escapes, as text of its own or in place")
  func strings() throws {
    let samples = [
      #""""#: "", #""plain""#: "plain", #""a\"\\\/\b\f\n\r\tz""#: "a\"\\/\u{8}\u{C}\n\r\tz",
      #""\u00e9\ud83d\ude00""#: "é😀", "\"é漢\"": "é漢",
    ]
    for (text, expected) in samples {
      let string = try read(text) { reader throws(JSONError) in try reader.readString() }.get()
      #expect(bytes(string) == bytes(expected))
      let inPlace = try read(text) { reader throws(JSONError) in try reader.readText().string }.get()
      #expect(bytes(inPlace) == bytes(expected))
      let raw = try read(text) { reader throws(JSONError) in try reader.readText().withUTF8 { Array($0) } }.get()
      #expect(raw == bytes(expected))
    }
    for text in ["1", "null", "{}", "x"] {
      #expect(code(text) { reader throws(JSONError) in try reader.readString() } == .unexpectedType)
      #expect(code(text) { reader throws(JSONError) in try reader.readText().string } == .unexpectedType)
    }
    #expect(code("\"a\nb\"") { reader throws(JSONError) in try reader.readText().string } == .invalidString)
    #expect(code(#""\x""#) { reader throws(JSONError) in try reader.readText().string } == .invalidEscape)
    #expect(code("\"a") { reader throws(JSONError) in try reader.readText().string } == .unexpectedEnd)
  }

  @Test("a text is compared with a word byte for byte, however it is written")
  func words() throws {
    func isState(_ text: String) throws -> Bool {
      try read(text) { reader throws(JSONError) in try reader.readText().is("state") }.get()
    }
    #expect(try isState("\"state\""))
    #expect(try isState(#""st\u0061te""#))
    for text in ["\"State\"", "\"stat\"", "\"states\"", "\"\"", #""st\u0041te""#] { #expect(try !isState(text)) }
  }

  @Test("members are given in their order, duplicates included, and unread values can be skipped")
  func objects() throws {
    let keys = read(#" { "a" : 1 , "b":{"c":[{},[]]} ,"a":null, "":"x"} "#) { reader throws(JSONError) in
      var keys: [String] = []
      try reader.beginObject()
      while let key = try reader.nextKey() {
        keys.append(key.string)
        try reader.skipValue()
      }
      return keys
    }
    #expect(try keys.get() == ["a", "b", "a", ""])
    let empty = read("{ }") { reader throws(JSONError) in
      try reader.beginObject()
      return try reader.nextKey() == nil
    }
    #expect(try empty.get())
  }

  @Test("elements are counted right, with containers among them")
  func arrays() throws {
    let sums = read("[[1,2],[],[3],[[]]]") { reader throws(JSONError) in
      var lengths: [Int] = []
      try reader.beginArray()
      while try reader.nextElement() {
        try reader.beginArray()
        var length = 0
        while try reader.nextElement() {
          try reader.skipValue()
          length += 1
        }
        lengths.append(length)
      }
      return lengths
    }
    #expect(try sums.get() == [2, 0, 1, 1])
  }

  @Test(
    "commas must separate, and only that",
    arguments: [
      ("[1,]", JSONError.Code.unexpectedType), ("[,1]", .unexpectedType), ("[1 2]", .afterElement),
      ("[1,,2]", .unexpectedType), ("[1", .unexpectedEnd), ("[", .unexpectedEnd), ("[1}", .afterElement),
      ("{}", .unexpectedType), ("[1]]", .afterDocument),
    ])
  func commasOfArrays(text: String, expected: JSONError.Code) {
    let found = code(text) { reader throws(JSONError) in
      try reader.beginArray()
      while try reader.nextElement() { _ = try reader.readInteger(as: Int.self) }
    }
    #expect(found == expected)
  }

  @Test(
    "commas, keys and colons of an object are where they belong",
    arguments: [
      (#"{"a":1,}"#, JSONError.Code.expectedKey), (#"{,"a":1}"#, .expectedKey), (#"{"a":1 "b":2}"#, .afterMember),
      (#"{"a" 1}"#, .afterKey), (#"{"a":}"#, .unexpectedType), (#"{a:1}"#, .expectedKey), (#"{"a":1"#, .unexpectedEnd),
      (#"{"a":1]"#, .afterMember), ("[]", .unexpectedType), ("{", .unexpectedEnd), (#"{"a"}"#, .afterKey),
    ])
  func commasOfObjects(text: String, expected: JSONError.Code) {
    let found = code(text) { reader throws(JSONError) in
      try reader.beginObject()
      while try reader.nextKey() != nil { _ = try reader.readInteger(as: Int.self) }
    }
    #expect(found == expected)
  }

  @Test("nothing but white space may follow a document")
  func end() {
    #expect(code("1 \t\r\n") { reader throws(JSONError) in try reader.skipValue() } == nil)
    #expect(code("1 x") { reader throws(JSONError) in try reader.skipValue() } == .afterDocument)
    #expect(code("1\u{FEFF}") { reader throws(JSONError) in try reader.skipValue() } == .afterDocument)
  }

  @Test("a skipped value is told by its place, without the white space around it")
  func ranges() throws {
    let text = #"{"a":  {"b": [1, 2]} ,"c": "x\u0041" , "d" :-1.5e3}"#
    let values = read(text) { reader throws(JSONError) in
      var values: [String] = []
      try reader.beginObject()
      while try reader.nextKey() != nil {
        let range = try reader.skipValue()
        #expect(reader.offset == range.upperBound)
        values.append(String(decoding: Array(text.utf8)[range], as: UTF8.self))
      }
      return values
    }
    #expect(try values.get() == [#"{"b": [1, 2]}"#, #""x\u0041""#, "-1.5e3"])
  }
}
