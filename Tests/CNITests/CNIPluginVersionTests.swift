import CNI
import Testing

@Suite("Versions that a verb allows")
struct CNIPluginVersionTests {
  private static func run(_ verb: String, version: String) async throws -> PluginCall {
    let input = #"{"name": "web", "cniVersion": "\#(version)", "cni.dev/valid-attachments": []}"#
    return try await PluginCall.run(.complete(verb), input: input)
  }

  struct Allowed: Sendable, CustomTestStringConvertible {
    var verb: String
    var versions: [String]
    var testDescription: String { verb }
  }

  @Test(
    "a verb is served in the versions that know it",
    arguments: [
      Allowed(verb: "ADD", versions: ["", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]),
      Allowed(verb: "DEL", versions: ["", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]),
      Allowed(verb: "CHECK", versions: ["0.4.0", "1.0.0", "1.1.0"]),
      Allowed(verb: "GC", versions: ["1.1.0"]),
      Allowed(verb: "STATUS", versions: ["1.1.0"]),
    ])
  func allowed(example: Allowed) async throws {
    for version in example.versions {
      let call = try await Self.run(example.verb, version: version)
      #expect(call.exitStatus == 0, "version \(version)")
      #expect(call.calls.count == 2, "version \(version)")
    }
  }

  struct Refused: Sendable, CustomTestStringConvertible {
    var verb: String
    var version: String
    var message: String
    var testDescription: String { "\(verb) \(version)" }
  }

  @Test(
    "a verb is refused in versions before it and behind the newest",
    arguments: [
      Refused(verb: "CHECK", version: "", message: "config version does not allow CHECK"),
      Refused(verb: "CHECK", version: "0.1.0", message: "config version does not allow CHECK"),
      Refused(verb: "CHECK", version: "0.3.1", message: "config version does not allow CHECK"),
      Refused(verb: "CHECK", version: "0.3.99", message: "config version does not allow CHECK"),
      Refused(verb: "CHECK", version: "-1", message: "config version does not allow CHECK"),
      Refused(verb: "CHECK", version: "1.1.1", message: "plugin version does not allow CHECK"),
      Refused(verb: "CHECK", version: "9.9.9", message: "plugin version does not allow CHECK"),
      Refused(verb: "CHECK", version: "2", message: "plugin version does not allow CHECK"),
      Refused(verb: "GC", version: "", message: "config version does not allow GC"),
      Refused(verb: "GC", version: "1.0.0", message: "config version does not allow GC"),
      Refused(verb: "GC", version: "1.0.99", message: "config version does not allow GC"),
      Refused(verb: "GC", version: "1.1.1", message: "plugin version does not allow GC"),
      Refused(verb: "GC", version: "1.2", message: "plugin version does not allow GC"),
      Refused(verb: "STATUS", version: "0.4.0", message: "config version does not allow STATUS"),
      Refused(verb: "STATUS", version: "1.0.0", message: "config version does not allow STATUS"),
      Refused(verb: "STATUS", version: "1.2.0", message: "plugin version does not allow STATUS"),
    ])
  func refused(example: Refused) async throws {
    let call = try await Self.run(example.verb, version: example.version)
    #expect(call.exitStatus == 1)
    #expect(call.output == PluginCall.errorDocument(1, example.message))
    #expect(call.calls.isEmpty)
  }

  @Test(
    "a version that passes the comparison must still be one of the seven texts",
    arguments: [
      ("ADD", "9.9.9"), ("ADD", "1.0"), ("ADD", "01.0.0"), ("ADD", "v1.0.0"), ("ADD", "abc"), ("ADD", "1.1.0.0"),
      ("DEL", "0.5.0"), ("DEL", "1.0.1"), ("CHECK", "0.5.0"), ("CHECK", "1.0"), ("CHECK", "01.0.0"), ("GC", "1.1"),
      ("GC", "+1.1.0"), ("STATUS", "1.01.0"),
    ])
  func unsupported(verb: String, version: String) async throws {
    let call = try await Self.run(verb, version: version)
    #expect(call.exitStatus == 1)
    #expect(
      call.output == #"""
        {
            "code": 1,
            "msg": "incompatible CNI versions",
            "details": "config is \"\#(version)\", plugin supports [\"0.1.0\" \"0.2.0\" \"0.3.0\" \"0.3.1\" \"0.4.0\" \"1.0.0\" \"1.1.0\"]"
        }
        """#)
    #expect(call.calls.isEmpty)
  }

  @Test("the version is quoted, and then escaped for JSON")
  func quoting() async throws {
    let call = try await Self.run("ADD", version: #"\"\\\u0001\u200b<é"#)
    #expect(call.output.contains(#"config is \"\\\"\\\\\\x01\\u200b\u003cé\", plugin supports"#))
  }

  @Test("verbs that compare versions report one that is no number, the others do not")
  func unreadable() async throws {
    let problem = #"strconv.Atoi: parsing \"abc\": invalid syntax"#
    for verb in ["CHECK", "GC", "STATUS"] {
      let call = try await Self.run(verb, version: "abc")
      let message = #"failed to convert major version part \"abc\": "# + problem
      #expect(call.exitStatus == 1)
      #expect(call.output == PluginCall.errorDocument(6, message))
      let long = try await Self.run(verb, version: "1.1.0.0")
      #expect(long.output == PluginCall.errorDocument(6, #"invalid version \"1.1.0.0\": too many parts"#))
      #expect(call.calls.isEmpty && long.calls.isEmpty)
    }
  }
}
