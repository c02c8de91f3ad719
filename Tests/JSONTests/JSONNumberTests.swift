import JSON
import Testing

@Suite("Numbers")
struct JSONNumberTests {
  @Test(
    "a literal is written as it was read",
    arguments: [
      "0", "-0", "1", "-1", "10", "1.0", "1.50", "-0.0", "1e3", "1E3", "1e+3", "1E-03", "0e0", "0.1e1", "1e400",
      "1e-400",
      "9007199254740993", "9223372036854775808", "18446744073709551615", "18446744073709551616", "12345678901234567890",
      "123456789012345678901234567890", "0.1000000000000000055511151231257827", "-1.50e+10",
    ])
  func literals(text: String) throws {
    let number = try #require(try JSON(parsing: text).numberValue)
    #expect(number.literal == text)
    #expect(number.description == text)
    #expect(try JSON(parsing: "[\(text)]").text() == "[\(text)]")
    #expect(try JSON(parsing: "{\"a\": \(text)}").text() == "{\"a\":\(text)}")
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var text: String
    var int64: Int64?
    var uint64: UInt64?
    var testDescription: String { text }
  }

  @Test(
    "only plain integers in range have an integer value",
    arguments: [
      Case(text: "0", int64: 0, uint64: 0),
      Case(text: "-0", int64: 0, uint64: nil),
      Case(text: "42", int64: 42, uint64: 42),
      Case(text: "-42", int64: -42, uint64: nil),
      Case(text: "9007199254740993", int64: 9_007_199_254_740_993, uint64: 9_007_199_254_740_993),
      Case(text: "9223372036854775807", int64: .max, uint64: 9_223_372_036_854_775_807),
      Case(text: "9223372036854775808", int64: nil, uint64: 9_223_372_036_854_775_808),
      Case(text: "-9223372036854775808", int64: .min, uint64: nil),
      Case(text: "-9223372036854775809", int64: nil, uint64: nil),
      Case(text: "18446744073709551615", int64: nil, uint64: .max),
      Case(text: "18446744073709551616", int64: nil, uint64: nil),
      Case(text: "1.0", int64: nil, uint64: nil),
      Case(text: "1500.5", int64: nil, uint64: nil),
      Case(text: "1e3", int64: nil, uint64: nil),
      Case(text: "1E0", int64: nil, uint64: nil),
    ])
  func integers(example: Case) throws {
    let number = try #require(try JSON(parsing: example.text).numberValue)
    #expect(number.int64 == example.int64)
    #expect(number.uint64 == example.uint64)
  }

  @Test("integers of every width make numbers")
  func widths() {
    #expect(JSONNumber(UInt8(255)).literal == "255")
    #expect(JSONNumber(Int64.min).literal == "-9223372036854775808")
    #expect(JSONNumber(UInt64.max).uint64 == .max)
    #expect(JSONNumber(UInt128.max).literal == "340282366920938463463374607431768211455")
    #expect((7 as JSONNumber).int64 == 7)
  }

  @Test("numbers are equal if their literals are")
  func equality() throws {
    #expect(try JSON(parsing: "1") == 1)
    #expect(try JSON(parsing: "1") != JSON(parsing: "1.0"))
    #expect(try JSON(parsing: "100") != JSON(parsing: "1e2"))
    #expect(try JSON(parsing: "0") != JSON(parsing: "-0"))
  }
}
