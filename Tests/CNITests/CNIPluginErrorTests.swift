import CNI
import IPAM
import Testing

@Suite("Errors of a call")
struct CNIPluginErrorTests {
  @Test("a faulty environment is reported before stdin is read")
  func environmentFirst() async throws {
    let call = try await PluginCall.run(CNIEnvironment(command: "ADD"), input: "not JSON")
    #expect(call.exitStatus == 1)
    #expect(
      call.output
        == PluginCall.errorDocument(
          4, "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing"))
    #expect(call.bytesRead == 0)
    #expect(call.calls.isEmpty)
    #expect(call.diagnostics.isEmpty)
  }

  @Test("an error document has details where there are some")
  func details() async throws {
    var environment = CNIEnvironment.complete("ADD")
    environment.containerID = [0x61, 0xFF, 0x3C]
    let call = try await PluginCall.run(environment)
    #expect(call.exitStatus == 1)
    #expect(
      call.output == #"""
        {
            "code": 4,
            "msg": "invalid characters in containerID",
            "details": "a\ufffd\u003c"
        }
        """#)
  }

  @Test("stdin is judged before an unknown verb", arguments: ["FROB", "add", "UPDATE"])
  func stdinBeforeVerb(verb: String) async throws {
    let environment = CNIEnvironment(command: verb)
    let malformed = try await PluginCall.run(environment, input: "hello")
    let problem = "invalid character 'h' looking for beginning of value"
    #expect(malformed.output == PluginCall.errorDocument(6, "error unmarshall network config: \(problem)"))
    let nameless = try await PluginCall.run(environment, input: "{}")
    #expect(nameless.output == PluginCall.errorDocument(7, "missing network name"))
    let unknown = try await PluginCall.run(environment)
    #expect(unknown.output == PluginCall.errorDocument(4, "unknown CNI_COMMAND: \(verb)"))
    #expect([malformed, nameless, unknown].map(\.exitStatus) == [1, 1, 1])
  }

  @Test("an unknown verb is judged before the version")
  func verbBeforeVersion() async throws {
    let input = #"{"name": "web", "cniVersion": 7}"#
    let call = try await PluginCall.run(CNIEnvironment(command: "FROB"), input: input)
    #expect(call.output == PluginCall.errorDocument(4, "unknown CNI_COMMAND: FROB"))
  }

  @Test("a version of another type is judged before its support", arguments: ["ADD", "DEL", "CHECK", "GC", "STATUS"])
  func versionType(verb: String) async throws {
    let call = try await PluginCall.run(.complete(verb), input: #"{"name": "web", "cniVersion": 7}"#)
    let problem = "json: cannot unmarshal number into Go struct field .cniVersion of type string"
    #expect(call.exitStatus == 1)
    #expect(call.output == PluginCall.errorDocument(6, "decoding version from network config: \(problem)"))
    #expect(call.calls.isEmpty)
  }

  @Test("an input that cannot be read is an I/O failure")
  func unreadableInput() async throws {
    let plugin = CNIPlugin(name: "fake", version: "1") { _ in
      FakeBackend(
        script: FakeBackend.Script(assignment: PluginCall.sampleAssignment, creationFailure: nil, failure: nil))
    }
    let stdout = try ScratchFile()
    let streams = CNIStreams(input: -1, output: stdout.descriptor, diagnostics: -1)
    #expect(await plugin.run(environment: .complete("ADD"), streams: streams) == 1)
    let message = "error reading from stdin: read /dev/stdin: bad file descriptor"
    #expect(stdout.text == PluginCall.errorDocument(5, message))
  }

  struct Failure: IPAMFailure, CustomTestStringConvertible {
    var category: FailureCategory
    var code: Int
    var message = "no address left"
    var details = "5 of 5"
    var testDescription: String { "\(category)" }
  }

  private static let failures = [
    Failure(category: .failed, code: 999),
    Failure(category: .invalidConfiguration, code: 7),
    Failure(category: .unavailable, code: 50),
  ]

  private static func document(_ failure: Failure) -> String {
    """
    {
        "code": \(failure.code),
        "msg": "\(failure.message)",
        "details": "\(failure.details)"
    }
    """
  }

  private static let input = #"{"cniVersion": "1.1.0", "name": "web", "cni.dev/valid-attachments": []}"#
  private static let verbs = ["ADD", "DEL", "CHECK", "GC", "STATUS"]

  @Test("a backend's failure is one document with the code of its category", arguments: verbs, failures)
  func backend(verb: String, failure: Failure) async throws {
    let call = try await PluginCall.run(.complete(verb), input: Self.input, failure: failure)
    #expect(call.exitStatus == 1)
    #expect(call.output == Self.document(failure))
    #expect(call.calls.count == 2)
    #expect(call.diagnostics.isEmpty)
  }

  @Test("a backend that cannot be made is asked for nothing", arguments: verbs, failures)
  func creation(verb: String, failure: Failure) async throws {
    let call = try await PluginCall.run(.complete(verb), input: Self.input, creationFailure: failure)
    #expect(call.exitStatus == 1)
    #expect(call.output == Self.document(failure))
    #expect(call.calls.count == 1)
  }

  @Test("a backend may name a code of the protocol itself")
  func protocolError() async throws {
    let call = try await PluginCall.run(.complete("ADD"), failure: CNIError(.invalidEnvironment, "bad arguments"))
    #expect(call.output == PluginCall.errorDocument(4, "bad arguments"))
  }

  private struct Unforeseen: Error, CustomStringConvertible {
    var description: String { "unforeseen" }
  }

  @Test("any other error is an internal one")
  func otherError() async throws {
    let call = try await PluginCall.run(.complete("DEL"), failure: Unforeseen())
    #expect(call.exitStatus == 1)
    #expect(call.output == PluginCall.errorDocument(999, "unforeseen"))
  }
}
