import IPAM
import JSON
import Testing

@testable import CNI

@Suite("The attachments that GC keeps")
struct ValidAttachmentsTests {
  private static func read(_ text: String) throws -> Set<Attachment> {
    let document = try #require(try JSON(parsing: Array(text.utf8)).objectValue)
    return try ValidAttachments.read(from: document)
  }

  private static func attachment(_ containerID: String, _ interface: String) -> Attachment {
    Attachment(containerID: containerID, interfaceName: InterfaceName(interface))
  }

  private static let specified = "cni.dev/valid-attachments"
  private static let early = "cni.dev/attachments"

  @Test("a list is read from either key", arguments: [specified, early])
  func keys(key: String) throws {
    let valid = try Self.read(
      """
      {"name": "web", "\(key)": [
        {"containerID": "c1", "ifname": "eth0"}, {"ifname": "eth1", "containerID": "c1"},
        {"containerID": "c2", "ifname": "eth0", "more": 7}, {"containerID": "c1", "ifname": "eth0"}
      ]}
      """)
    #expect(valid == [Self.attachment("c1", "eth0"), Self.attachment("c1", "eth1"), Self.attachment("c2", "eth0")])
  }

  @Test("an empty list says that nothing is to be kept", arguments: [specified, early])
  func empty(key: String) throws {
    #expect(try Self.read(#"{"\#(key)": []}"#).isEmpty)
  }

  @Test(
    "a missing list is an error and not an empty one",
    arguments: ["{}", #"{"name": "web"}"#, #"{"attachments": []}"#, #"{"ipam": {"cni.dev/valid-attachments": []}}"#])
  func missing(text: String) throws {
    let error = try #require(throws: CNIError.self) { try Self.read(text) }
    #expect(error.code == .invalidNetworkConfiguration)
    #expect(error.message == "GC needs the list cni.dev/valid-attachments")
    #expect(error.details.hasPrefix("nothing was released"))
  }

  struct Problem: Sendable, CustomTestStringConvertible {
    var list: String
    var problem: String
    var testDescription: String { list }
  }

  @Test(
    "a malformed list is an error that says where",
    arguments: [
      Problem(list: "null", problem: "it is null, not array"),
      Problem(list: "{}", problem: "it is object, not array"),
      Problem(list: #""""#, problem: "it is string, not array"),
      Problem(list: "7", problem: "it is number, not array"),
      Problem(list: "false", problem: "it is bool, not array"),
      Problem(list: "[null]", problem: "element 0 is null, not object"),
      Problem(list: #"["c1"]"#, problem: "element 0 is string, not object"),
      Problem(list: "[[]]", problem: "element 0 is array, not object"),
      Problem(list: "[{}]", problem: "element 0 has no containerID"),
      Problem(list: #"[{"ifname": "eth0"}]"#, problem: "element 0 has no containerID"),
      Problem(list: #"[{"containerID": "", "ifname": "eth0"}]"#, problem: "element 0 has no containerID"),
      Problem(list: #"[{"containerID": 7, "ifname": "eth0"}]"#, problem: "element 0 has no containerID"),
      Problem(list: #"[{"containerID": null, "ifname": "eth0"}]"#, problem: "element 0 has no containerID"),
      Problem(list: #"[{"containerID": "c1"}]"#, problem: "element 0 has no ifname"),
      Problem(list: #"[{"containerID": "c1", "ifname": ""}]"#, problem: "element 0 has no ifname"),
      Problem(list: #"[{"containerID": "c1", "ifname": ["eth0"]}]"#, problem: "element 0 has no ifname"),
      Problem(
        list: #"[{"containerID": "c1", "ifname": "eth0"}, {"containerID": "c2"}]"#,
        problem: "element 1 has no ifname"
      ),
    ])
  func malformed(example: Problem) {
    for key in [Self.specified, Self.early] {
      let expected = CNIError(
        .invalidNetworkConfiguration,
        "malformed \(key): \(example.problem)",
        details: "nothing was released"
      )
      #expect(throws: expected) { try Self.read(#"{"\#(key)": \#(example.list)}"#) }
    }
  }

  @Test("a list given twice is an error, even if both are equal", arguments: [specified, early])
  func twice(key: String) {
    let expected = CNIError(
      .invalidNetworkConfiguration,
      "malformed \(key): it is given twice",
      details: "nothing was released"
    )
    #expect(throws: expected) { try Self.read(#"{"\#(key)": [], "\#(key)": []}"#) }
  }

  @Test("both keys may be given if they agree, in any order of their elements")
  func agreement() throws {
    let (first, second) = (#"{"containerID": "c1", "ifname": "a"}"#, #"{"containerID": "c2", "ifname": "b"}"#)
    let valid = try Self.read(
      #"{"\#(Self.early)": [\#(second), \#(first)], "\#(Self.specified)": [\#(first), \#(second)]}"#)
    #expect(valid == [Self.attachment("c1", "a"), Self.attachment("c2", "b")])
    #expect(try Self.read(#"{"\#(Self.early)": [], "\#(Self.specified)": []}"#).isEmpty)
  }

  @Test(
    "two lists that do not agree are an error",
    arguments: [
      #"{"cni.dev/valid-attachments": [], "cni.dev/attachments": [{"containerID": "c1", "ifname": "a"}]}"#,
      #"{"cni.dev/valid-attachments": [{"containerID": "c1", "ifname": "a"}], "cni.dev/attachments": []}"#,
    ])
  func disagreement(text: String) throws {
    let error = try #require(throws: CNIError.self) { try Self.read(text) }
    #expect(error.code == .invalidNetworkConfiguration)
    #expect(error.message == "cni.dev/valid-attachments and cni.dev/attachments do not agree")
    #expect(error.details.hasPrefix("nothing was released"))
  }

  @Test("a good list does not excuse a malformed one beside it")
  func oneMalformed() {
    #expect(throws: CNIError.self) {
      try Self.read(#"{"cni.dev/valid-attachments": [], "cni.dev/attachments": null}"#)
    }
    #expect(throws: CNIError.self) {
      try Self.read(#"{"cni.dev/valid-attachments": null, "cni.dev/attachments": []}"#)
    }
  }
}
