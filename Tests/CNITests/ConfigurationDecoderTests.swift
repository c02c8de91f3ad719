import CNI
import JSON
import Testing

@Suite("Decoding members by their types")
struct ConfigurationDecoderTests {
  /// A value of each kind, with its name in messages.
  private static let kinds: [(value: JSON, name: String)] = [
    (nil, "null"), (true, "bool"), (7, "number"), ("text", "string"), ([1], "array"), (["a": 1], "object"),
  ]

  @Test("a text is taken from a string; null leaves the value alone")
  func strings() {
    for (value, name) in Self.kinds {
      var decoder = ConfigurationDecoder()
      var target = "before"
      decoder.decode(value, as: "Net.x", into: &target)
      #expect(target == (name == "string" ? "text" : "before"))
      let problem = "json: cannot unmarshal \(name) into Go struct field Net.x of type string"
      #expect(decoder.firstTypeError == (["string", "null"].contains(name) ? nil : problem))
    }
  }

  @Test("a truth value is taken from true and false; null leaves the value alone")
  func booleans() {
    for (value, name) in Self.kinds {
      var decoder = ConfigurationDecoder()
      var target = false
      decoder.decode(value, as: "Net.x", into: &target)
      #expect(target == (name == "bool"))
      let problem = "json: cannot unmarshal \(name) into Go struct field Net.x of type bool"
      #expect(decoder.firstTypeError == (["bool", "null"].contains(name) ? nil : problem))
    }
  }

  @Test("an integer is taken from a number; null leaves the value alone")
  func integers() {
    for (value, name) in Self.kinds {
      var decoder = ConfigurationDecoder()
      var target: Int64 = 3
      decoder.decode(value, as: "Net.x", into: &target)
      #expect(target == (name == "number" ? 7 : 3))
      let problem = "json: cannot unmarshal \(name) into Go struct field Net.x of type int"
      #expect(decoder.firstTypeError == (["number", "null"].contains(name) ? nil : problem))
    }
  }

  @Test("an integer that may be absent is taken away by null")
  func optionalIntegers() {
    for (value, name) in Self.kinds {
      var decoder = ConfigurationDecoder()
      var target: Int64? = 3
      decoder.decode(value, as: "Net.x", into: &target)
      #expect(target == ["number": 7, "null": nil, "string": 3, "bool": 3, "array": 3, "object": 3][name])
      #expect((decoder.firstTypeError == nil) == ["number", "null"].contains(name))
    }
  }

  struct Number: Sendable, CustomTestStringConvertible {
    var literal: String
    var value: Int64?
    var testDescription: String { literal }
  }

  @Test(
    "only plain integer literals within 64 bits are integers",
    arguments: [
      Number(literal: "0", value: 0),
      Number(literal: "-0", value: 0),
      Number(literal: "-5", value: -5),
      Number(literal: "9223372036854775807", value: .max),
      Number(literal: "-9223372036854775808", value: .min),
      Number(literal: "9223372036854775808"),
      Number(literal: "-9223372036854775809"),
      Number(literal: "1500.5"),
      Number(literal: "1.0"),
      Number(literal: "1e3"),
      Number(literal: "1E-3"),
    ])
  func literals(example: Number) throws {
    let number = try JSON(parsing: Array(example.literal.utf8))
    var decoder = ConfigurationDecoder()
    var target: Int64 = 1
    decoder.decode(number, as: "route.mtu", into: &target)
    #expect(target == example.value ?? 1)
    let problem = "json: cannot unmarshal number \(example.literal) into Go struct field route.mtu of type int"
    #expect(decoder.firstTypeError == (example.value == nil ? problem : nil))
  }

  @Test("the members of an object are given in order; null has none")
  func members() {
    var decoder = ConfigurationDecoder()
    let members = decoder.members(of: ["b": 1, "a": 2, "b": 3], as: "Net.args", type: "struct")
    #expect(members.map(\.key) == ["b", "a", "b"])
    #expect(decoder.members(of: nil, as: "Net.args", type: "struct").isEmpty)
    #expect(decoder.firstTypeError == nil)
    #expect(decoder.members(of: [1], as: "Net.args", type: "struct").isEmpty)
    #expect(decoder.firstTypeError == "json: cannot unmarshal array into Go struct field Net.args of type struct")
  }

  @Test("of several faults the first is reported, and decoding goes on")
  func firstFault() {
    var decoder = ConfigurationDecoder()
    var (text, number) = ("", Int64(0))
    decoder.decode(1, as: "a", into: &text)
    decoder.decode("x", as: "b", into: &number)
    decoder.decode(.number(JSONNumber(Int128(1) << 80)), as: "c", into: &number)
    decoder.reject([], field: "d", type: "struct")
    decoder.decode("later", as: "e", into: &text)
    #expect(decoder.firstTypeError == "json: cannot unmarshal number into Go struct field a of type string")
    #expect(text == "later")
  }

  @Test("a fault of the document itself names no field")
  func wholeDocument() {
    var decoder = ConfigurationDecoder()
    decoder.reject([], field: "", type: "struct")
    #expect(decoder.firstTypeError == "json: cannot unmarshal array into Go value of type struct")
  }
}
