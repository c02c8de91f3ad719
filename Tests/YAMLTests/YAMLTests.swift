import JSON
import Testing
import YAML

@Suite("YAML")
struct YAMLTests {
  @Test(
    "scalars become the JSON that Go's library makes of them",
    arguments: [
      ("true", "true"), ("yes", "true"), ("off", "false"), ("'true'", "\"true\""), ("\"no\"", "\"no\""), ("~", "null"),
      ("null", "null"), ("", "null"), ("''", "\"\""), ("26", "26"), ("-5", "-5"), ("+7", "7"), ("010", "8"),
      ("0o10", "8"), ("0x1F", "31"), ("0b11", "3"), ("1_000", "1000"), ("18446744073709551615", "18446744073709551615"),
      ("-9223372036854775808", "-9223372036854775808"), ("1.5", "1.5"), ("1e3", "1000"), ("1.50e-1", "0.15"),
      ("'26'", "\"26\""), ("10.0.0.0/24", "\"10.0.0.0/24\""), ("10.0.0.1", "\"10.0.0.1\""), ("fd00::1", "\"fd00::1\""),
      ("2026-08-22", "\"2026-08-22\""), ("2026-08-22T13:33:00Z", "\"2026-08-22T13:33:00Z\""), ("all()", "\"all()\""),
      ("!!str 26", "\"26\""), ("!!int '26'", "26"), (".", "\".\""), ("1.2.3", "\"1.2.3\""),
      ("Always", "\"Always\""), ("nan", "\"nan\""), ("infinity", "\"infinity\""), ("0x", "\"0x\""), ("08", "8"),
    ])
  func scalars(_ yaml: String, _ json: String) throws {
    let value = try YAMLDocument.json("a: \(yaml)\n")?.objectValue?["a"]
    #expect(value.map { String(decoding: $0.encoded(), as: UTF8.self) } == json)
  }

  @Test("structures, anchors and folded texts")
  func structures() throws {
    let text = """
      a: &x {b: [1, two], c: |
          line
          line
        }
      """
    #expect(throws: YAMLDocument.Failure.self) { try YAMLDocument.json(text) }
    let yaml = """
      # comment
      list:
      - name: &n pod
        cidrs: ["10.0.0.0/28", 'fd00::/64']
      - name: *n
      text: >-
        folded
        line
      """
    let json = try #require(try YAMLDocument.json(yaml))
    #expect(
      String(decoding: json.encoded(), as: UTF8.self)
        == #"{"list":[{"name":"pod","cidrs":["10.0.0.0/28","fd00::/64"]},{"name":"pod"}],"text":"folded line"}"#)
  }

  @Test("nothing is no document", arguments: ["", "# comment\n", "---\n", "null\n"])
  func nothing(_ text: String) throws {
    // JSON has a null of its own, which `nil` might stand for.
    #expect(try YAMLDocument.json(text).map { _ in true } == nil)
  }

  @Test("what JSON does not have is refused", arguments: [".inf", "-.inf", ".nan"])
  func unsupported(_ text: String) {
    #expect(throws: YAMLDocument.Failure.self) { try YAMLDocument.json("a: \(text)") }
  }

  @Test(
    "texts are quoted where they would be read as something else",
    arguments: [
      ("all()", "all()"), ("foo == 'bar'", "foo == 'bar'"), ("true", "\"true\""), ("", "\"\""), ("26", "\"26\""),
      ("1.5", "\"1.5\""), ("yes", "\"yes\""), ("2026-08-22T13:33:00Z", "\"2026-08-22T13:33:00Z\""),
      ("12:30", "\"12:30\""), ("10.0.0.0/24", "10.0.0.0/24"), ("fd00::/64", "fd00::/64"), ("fd00::", "'fd00::'"),
      ("!has(x)", "'!has(x)'"), ("a: b", "'a: b'"), ("a #b", "'a #b'"), ("it's", "it's"), ("'x'", "'''x'''"),
      (" x", "' x'"), ("-", "'-'"), ("-x", "-x"), ("a\tb", "\"a\\tb\""), ("one\ntwo", "|-\n  one\n  two"),
      ("one\n", "|\n  one"), ("{", "'{'"), ("*", "'*'"), ("089145a8", "089145a8"),
    ])
  func quoting(_ text: String, _ yaml: String) throws {
    let document = YAMLText.text(["a": .string(text)])
    #expect(document == "a: \(yaml)\n")
    #expect(try YAMLDocument.json(document)?.objectValue?["a"]?.stringValue == text)
  }

  @Test("structures are written in blocks, with keys sorted")
  func writing() throws {
    let value: JSON = [
      "z": [["b": 1, "a": ["x", "y"]], ["c": [:]], [[1, 2], []]], "a": ["k": nil, "e": []], "m": true,
    ]
    let text = YAMLText.text(value)
    #expect(
      text == """
        a:
          e: []
          k: null
        m: true
        z:
        - a:
          - x
          - "y"
          b: 1
        - c: {}
        - - - 1
            - 2
          - []

        """)
    #expect(
      String(decoding: try #require(try YAMLDocument.json(text)).encoded(JSONFormat(sortsKeys: true)), as: UTF8.self)
        == #"{"a":{"e":[],"k":null},"m":true,"z":[{"a":["x","y"],"b":1},{"c":{}},[[1,2],[]]]}"#)
  }
}

@Suite("Lines of YAML")
struct YAMLLineTests {
  private static let text = """
    # a comment
    apiVersion: v3

    spec:
      cidr: 10.0.0.0/24
      uses:
      - a
      - name: b
        deep: 1
    flow: {x: 1,
      y: [2,
        3]}
    """

  @Test(
    "are those of keys, and of elements",
    arguments: [
      ([], 2), (["apiVersion"], 2), (["spec"], 4), (["spec", "cidr"], 5), (["spec", "uses", "0"], 7),
      (["spec", "uses", "1"], 8), (["spec", "uses", "1", "deep"], 9), (["flow", "x"], 10), (["flow", "y"], 11),
      (["flow", "y", "1"], 12),
    ])
  func lines(_ path: [String], _ line: Int) {
    #expect(YAMLDocument.line(of: path, in: Self.text) == line)
  }

  @Test("of what is not there are those of what it is missing in")
  func absence() {
    #expect(YAMLDocument.line(of: ["spec", "none"], in: Self.text) == 4)
    #expect(YAMLDocument.line(of: ["spec", "uses", "7"], in: Self.text) == 6)
    #expect(YAMLDocument.line(of: ["spec", "uses", "x"], in: Self.text) == 6)
    #expect(YAMLDocument.line(of: ["a"], in: "") == nil)
    #expect(YAMLDocument.line(of: ["a"], in: "a: [") == nil)
  }

  @Test("of JSON are found as well")
  func json() {
    let text = "{\n  \"spec\": {\n    \"cidr\": \"x\",\n    \"uses\": [\n      \"a\"\n    ]\n  }\n}\n"
    #expect(YAMLDocument.line(of: ["spec", "cidr"], in: text) == 3)
    #expect(YAMLDocument.line(of: ["spec", "uses", "0"], in: text) == 5)
  }

  @Test("of what is wrong are told by themselves")
  func failures() {
    let twice = #expect(throws: YAMLDocument.Failure.self) { try YAMLDocument.json("a: 1\nb: 2\na: 3\n") }
    #expect(twice?.line == 3)
    let open = #expect(throws: YAMLDocument.Failure.self) { try YAMLDocument.json("a: 1\nb: [\n") }
    #expect(open?.line == 3)
  }
}
