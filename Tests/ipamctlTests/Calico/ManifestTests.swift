import CalicoModel
import JSON
import Testing

@testable import ipamctl

@Suite("Manifests")
final class ManifestTests {
  private let host: HostFixture

  init() throws { host = try HostFixture() }

  private func node(_ name: String) -> String {
    "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata:\n  name: \(name)\n"
  }

  private func names(_ path: String, recursive: Bool = false, skipsEmpty: Bool = false) throws -> [String] {
    let reader = ManifestReader(path: host.root + path, isRecursive: recursive, skipsEmpty: skipsEmpty)
    return try reader.resources().map(\.name)
  }

  private func failure(_ text: String) throws -> String? {
    try host.write(text, to: "/m.yaml")
    let path = host.root + "/m.yaml"
    let failure = #expect(throws: ManifestReader.Failure.self) { try ManifestReader(path: path).resources() }
    return failure?.description
  }

  @Test("documents are separated by lines of three hyphens, and may be YAML, JSON, arrays or lists")
  func documents() throws {
    let json = #"{"apiVersion":"projectcalico.org/v3","kind":"Node","metadata":{"name":"c"}}"#
    let list = """
      {"apiVersion":"projectcalico.org/v3","kind":"NodeList","items":[{"metadata":{"name":"f"}}]}
      """
    let text = [
      "# nothing here", node("a"), "", node("b"), json, "[\(json.replacing("\"c\"", with: "\"d\""))]", list,
      "{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: g}}", "",
    ].joined(separator: "\n---\n")
    try host.write(text, to: "/m.yaml")
    #expect(try names("/m.yaml") == ["a", "b", "c", "d", "f", "g"])
  }

  @Test("directories are read in the order of names, those in them on demand")
  func directories() throws {
    try host.write(node("b"), to: "/d/b.yml")
    try host.write(node("a"), to: "/d/a.YAML")
    try host.write(node("no"), to: "/d/readme.txt")
    try host.write(node("c"), to: "/d/c/c.json")
    #expect(try names("/d") == ["a", "b"])
    #expect(try names("/d", recursive: true) == ["a", "b", "c"])
  }

  @Test("nothing to read is an error unless it is to be skipped")
  func emptiness() throws {
    try host.write("---\n# empty\n", to: "/empty.yaml")
    try host.makeDirectory("/d")
    #expect(try names("/empty.yaml", skipsEmpty: true) == [])
    #expect(try names("/d", skipsEmpty: true) == [])
    let file = #expect(throws: ManifestReader.Failure.self) { try self.names("/empty.yaml") }
    #expect(file?.description == "no resources specified in file \(host.root)/empty.yaml")
    let directory = #expect(throws: ManifestReader.Failure.self) { try self.names("/d") }
    #expect(directory?.description == "no resources specified in directory \(host.root)/d")
    let missing = #expect(throws: ManifestReader.Failure.self) { try self.names("/missing.yaml") }
    #expect(
      missing?.description
        == "failed to execute command: open \(host.root)/missing.yaml: no such file or directory")
  }

  @Test("one bad file keeps all from being used")
  func badFile() throws {
    try host.write(node("a"), to: "/d/a.yaml")
    try host.write("kind: [", to: "/d/b.yaml")
    #expect(throws: ManifestReader.Failure.self) { try self.names("/d") }
  }

  @Test("an unknown field is named, with nothing before it")
  func unknownField() throws {
    #expect(
      try failure(node("a") + "spec:\n  bpg: {}\n")
        == "field in document is not recognized or is in the wrong location: bpg")
  }

  @Test("other mistakes are failures of the command")
  func mistakes() throws {
    #expect(
      try failure("apiVersion: v1\nkind: Pod\n")
        == "failed to execute command: unknown resource type (Pod) and/or version (v1)")
    let pool = "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: p\nspec:\n  cidr: 10.0.0.0/24\n"
    #expect(
      try failure(pool + "  disabled: 'True'\n")?.contains(
        "cannot unmarshal string into Go struct field IPPoolSpec.spec.disabled of type bool") == true)
    #expect(try failure(pool + "  cidr: 10.0.0.0/24\n")?.contains("key \"cidr\" already set in map") == true)
    #expect(
      try failure("kind: [")?.hasPrefix("failed to execute command: error converting YAML to JSON: yaml: ") == true)
  }

  @Test("a small text cannot stand for a very large one")
  func aliases() throws {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let alias = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(alias)]\n"
    }
    #expect(try failure(text)?.contains("excessive aliasing") == true)
  }
}

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
