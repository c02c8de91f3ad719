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
