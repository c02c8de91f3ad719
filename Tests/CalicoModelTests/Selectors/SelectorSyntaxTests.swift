import CalicoModel
import Testing

@Suite("Selector syntax")
struct SelectorSyntaxTests {
  @Test(
    "a keyword is an operator only after a label",
    arguments: [
      ("in in {'in'}", ["in": "in"]),
      ("in not in {'out'}", ["in": "in"]),
      ("not not in {'in'}", ["not": "not"]),
      ("notin notin {'in'}", ["notin": "not"]),
      ("not == 'x'", ["not": "x"]),
      ("contains contains 'tai'", ["contains": "contains"]),
      ("starts starts with 'st'", ["starts": "starts"]),
      ("startswith startswith 'st'", ["startswith": "starts"]),
      ("with ends with 'th'", ["with": "with"]),
      ("ends ends with 'ds'", ["ends": "ends"]),
      ("has == 'x'", ["has": "x"]),
      ("has in {'x'}", ["has": "x"]),
      ("all == 'x'", ["all": "x"]),
      ("global != 'y'", ["global": "x"]),
      ("has(has)", ["has": ""]),
      ("has(all) && has(global) && has(in) && has(not)", ["all": "", "global": "", "in": "", "not": ""]),
      ("!in == 'x'", ["in": "y"]),
    ])
  func keywords(text: String, labels: [String: String]) throws {
    #expect(try Selector(text).matches(labels))
  }

  @Test(
    "spaces and tabs may stand between tokens, or nothing",
    arguments: [
      "k=='v'", " k\t==  'v'\t", "(k=='v')", "\t( k == 'v' )\t", "k in{'v'}", "k in { 'u' , 'v' }", "k\tin\t{\t'v'\t}",
      "k notin{'w'}", "k not in{'w'}", "k not \t in {'w'}", "k not\tin {'w'}", "k contains'v'", "k startswith'v'",
      "k starts \t with 'v'", "k endswith'v'", "k ends\twith'v'", "has( k )", "has(\tk\t)", "all( )&&has(k)", "all(\t)",
      "has(k)&&!has(j)||has(i)", "! has(j)", "!(has(j))", "! ( has(j) )", "k!='w'", "k\t!=\t'w'", "!k=='w'",
      "k=='w'||k=='v'", "k\t==\t'v'\t&&\tall()",
    ])
  func spacing(text: String) throws {
    #expect(try Selector(text).matches(["k": "v"]))
    #expect(try Selector("\t \(text) \t").matches(["k": "v"]))
  }

  @Test(
    "either quote begins a string that only the same quote ends, and nothing is escaped",
    arguments: [
      (#"k == "v""#, "v"), (#"k == "it's""#, "it's"), (#"k == 'say "hi"'"#, #"say "hi""#), (#"k == 'a\'"#, #"a\"#),
      (#"k == 'a\\b'"#, #"a\\b"#), (#"k == "\n""#, #"\n"#), ("k == ' v '", " v "), ("k == '\n\r\0'", "\n\r\0"),
      ("k == 'has(x) && {}'", "has(x) && {}"), ("k in {\"a\", 'b'}", "b"), ("k == 'é€😀'", "é€😀"),
    ])
  func quotes(text: String, value: String) throws {
    #expect(try Selector(text).matches(["k": value]))
    #expect(try !Selector(text).matches(["k": value + "x"]))
  }

  @Test("identifiers consist of letters, digits, underscore, dot, slash and hyphen")
  func identifierCharacters() throws {
    let permitted = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-".utf8)
    for byte in UInt8(0)..<0x80 {
      let label = "a\(Unicode.Scalar(byte))b"
      let selector = try? Selector("has(\(label))")
      // A blank ends the identifier and is no reason for parsing either.
      #expect((selector != nil) == permitted.contains(byte), "\(byte)")
      if let selector {
        #expect(selector.matches([label: ""]))
        #expect(try Selector("\(Unicode.Scalar(byte)) == 'v'").matches([String(Unicode.Scalar(byte)): "v"]))
      }
    }
    #expect(throws: SelectorError.self) { try Selector("has(é)") }
  }

  @Test(
    "identifiers have up to 512 characters",
    arguments: [1, 15, 16, 511, 512])
  func identifierLength(count: Int) throws {
    let label = String(repeating: "x", count: count)
    #expect(try Selector("has(\(label))").matches([label: ""]))
    #expect(try Selector("\(label) == 'v'").matches([label: "v"]))
    #expect(try !Selector("\(label) == 'v'").matches([label + "x": "v"]))
  }

  @Test("a string may be longer than an identifier")
  func longString() throws {
    let value = String(repeating: "é", count: 5000)
    #expect(try Selector("k == '\(value)'").matches(["k": value]))
  }

  @Test("nesting has no limit", arguments: [1, 2, 1024, 100_000])
  func depth(count: Int) throws {
    let open = String(repeating: "(", count: count)
    let close = String(repeating: ")", count: count)
    #expect(try Selector("\(open)has(k)\(close)").matches(["k": ""]))
    #expect(try !Selector("\(open)has(k)\(close)").matches([:]))
    let negations = String(repeating: "!", count: count)
    #expect(try Selector("\(negations)has(k)").matches(["k": ""]) == count.isMultiple(of: 2))
    let negated = String(repeating: "!(", count: count)
    #expect(try Selector("\(negated)has(k)\(close)").matches(["k": ""]) == count.isMultiple(of: 2))
    let mixed = String(repeating: "!has(j)&&(", count: count)
    #expect(try Selector("\(mixed)has(k)\(close)").matches(["k": ""]))
    #expect(try !Selector("\(mixed)has(k)\(close)").matches(["k": "", "j": ""]))
  }

  @Test("a selector has any number of operands", arguments: [1, 2, 1024, 100_000])
  func operands(count: Int) throws {
    let no = Array(repeating: "has(j)", count: count)
    let yes = Array(repeating: "has(k)", count: count)
    #expect(try !Selector(no.joined(separator: " || ")).matches(["k": ""]))
    #expect(try Selector((no + ["has(k)"]).joined(separator: " || ")).matches(["k": ""]))
    #expect(try Selector(yes.joined(separator: "&&")).matches(["k": ""]))
    #expect(try !Selector((yes + ["has(j)"]).joined(separator: "&&")).matches(["k": ""]))
  }
}
