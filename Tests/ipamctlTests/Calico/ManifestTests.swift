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
        == """
        field in document is not recognized or is in the wrong location: bpg
        \(host.root)/m.yaml, line 6, spec.bpg: did you mean 'bgp'?
        """)
  }

  @Test("other mistakes are failures of the command")
  func mistakes() throws {
    #expect(
      try failure("apiVersion: v1\nkind: Pod\n")
        == """
        failed to execute command: unknown resource type (Pod) and/or version (v1)
        \(host.root)/m.yaml, line 1, apiVersion: has to be projectcalico.org/v3
        """)
    let pool = "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: p\nspec:\n  cidr: 10.0.0.0/24\n"
    #expect(
      try failure(pool + "  disabled: 'True'\n")?.contains(
        "cannot unmarshal string into Go struct field IPPoolSpec.spec.disabled of type bool") == true)
    #expect(try failure(pool + "  cidr: 10.0.0.0/24\n")?.contains("key \"cidr\" already set in map") == true)
    #expect(
      try failure("kind: [")?.hasPrefix("failed to execute command: error converting YAML to JSON: yaml: ") == true)
  }

  @Test("what is wrong is told with its line in the file, whichever document it is in, and in JSON as well")
  func lines() throws {
    let pool = "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: p\nspec:\n  cidr: 10.0.0.0/24\n"
    let place = host.root + "/m.yaml, line "
    #expect(
      try failure(node("a") + "---\n\n---\n" + pool + "  natOutgoing: 'yes'\n")?.hasSuffix(
        "\n\(place)14, spec.natOutgoing: has to be true or false, without quotes") == true)
    #expect(try failure(node("a") + "---\n" + pool + "  cidr: x\n")?.hasSuffix("\n\(place)12") == true)
    #expect(try failure(node("a") + "---\nkind: [\n")?.hasSuffix("\n\(place)7") == true)
    let json = """
      {
        "apiVersion": "projectcalico.org/v3",
        "kind": "IPPoolList",
        "items": [
          {"metadata": {"name": "p"}, "spec": {"cidr": "10.0.0.0/24"}},
          {"metadata": {"name": "q"},
           "spec": {"cider": "10.0.1.0/24"}}
        ]
      }
      """
    #expect(try failure(json)?.hasSuffix("\n\(place)7, items[1].spec.cider: did you mean 'cidr'?") == true)
  }

  @Test("each resource knows where it is written")
  func locations() throws {
    let list =
      "apiVersion: projectcalico.org/v3\nkind: NodeList\nitems:\n- metadata:\n    name: b\n- metadata: {name: c}\n"
    try host.write("# first\n" + node("a") + "---\n" + list, to: "/m.yaml")
    let entries = try ManifestReader(path: host.root + "/m.yaml").entries()
    #expect(entries.map(\.resource.name) == ["a", "b", "c"])
    #expect(entries.map(\.location) == [2, 10, 12].map { "\(host.root)/m.yaml, line \($0)" })
  }

  @Test("a value that breaks a rule is told with its line, and with what was probably meant")
  func values() throws {
    let pool = "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: P\nspec:\n  cidr: 10.0.0.0/24\n"
    try host.write("---\n" + pool + "  ipipMode: allways\n  blockSize: 200\n", to: "/m.yaml")
    let entry = try #require(try ManifestReader(path: host.root + "/m.yaml").entries().first)
    let error = #expect(throws: ResourceError.self) { try entry.resource.validate() }
    guard case .invalid(let fields)? = error?.code else { return }
    #expect(
      fields.map { entry.location(of: $0).replacing(host.root, with: "") } == [
        "/m.yaml, line 5, IPPool(P), metadata.name",
        "/m.yaml, line 8, IPPool(P), spec.ipipMode: did you mean 'Always'?",
        "/m.yaml, line 9, IPPool(P), spec.blockSize",
      ])
    let whole = InvalidField("spec", nil, "ipipMode and vxlanMode cannot both be enabled")
    #expect(entry.location(of: whole).hasSuffix("/m.yaml, line 2, IPPool(P)"))
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
