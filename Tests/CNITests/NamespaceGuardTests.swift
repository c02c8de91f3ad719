import CNI
import IPAM
import Testing

@Suite("The namespace named by the runtime")
struct NamespaceGuardTests {
  private static let own = "/proc/self/ns/net"
  private static let document = PluginCall.errorDocument(
    8, "plugin's netns and netns from CNI_NETNS should not be the same")

  @Test("ADD in the plugin's own namespace prints the result and then an error")
  func add() async throws {
    let call = try await PluginCall.run(.complete("ADD", networkNamespace: Self.own))
    #expect(call.exitStatus == 1)
    #expect(call.output == PluginCall.sampleResult + Self.document)
    #expect(call.calls.last == .assign(AssignmentRequest(PluginCall.attachment)))
    #expect(call.calls.count == 2, "the address is kept")
  }

  @Test("DEL in the plugin's own namespace has released when it fails")
  func del() async throws {
    let call = try await PluginCall.run(.complete("DEL", networkNamespace: Self.own))
    #expect(call.exitStatus == 1)
    #expect(call.output == Self.document)
    #expect(call.calls.last == .release(PluginCall.attachment))
  }

  @Test("CHECK, GC and STATUS do not compare namespaces", arguments: ["CHECK", "GC", "STATUS"])
  func otherVerbs(verb: String) async throws {
    let input = #"{"cniVersion": "1.1.0", "name": "web", "cni.dev/valid-attachments": []}"#
    let call = try await PluginCall.run(.complete(verb, networkNamespace: Self.own), input: input)
    #expect(call.exitStatus == 0)
    #expect(call.output.isEmpty)
  }

  @Test("the check can be turned off", arguments: ["1", "true", "TRUE"])
  func override(text: String) async throws {
    let environment = CNIEnvironment.complete("ADD", networkNamespace: Self.own, networkNamespaceOverride: text)
    let call = try await PluginCall.run(environment)
    #expect(call.exitStatus == 0)
    #expect(call.output == PluginCall.sampleResult)
    let release = CNIEnvironment.complete("DEL", networkNamespace: Self.own, networkNamespaceOverride: text)
    #expect(try await PluginCall.run(release).exitStatus == 0)
  }

  @Test("other values do not turn the check off", arguments: ["0", "yes", "false"])
  func notOverridden(text: String) async throws {
    let environment = CNIEnvironment.complete("ADD", networkNamespace: Self.own, networkNamespaceOverride: text)
    #expect(try await PluginCall.run(environment).exitStatus == 1)
  }

  @Test(
    "any other file, or none at all, is no concern",
    arguments: ["/nonexistent/netns", "/proc/self/ns/mnt", "/dev/null", "/", "netns"])
  func otherFiles(path: String) async throws {
    for verb in ["ADD", "DEL"] {
      let call = try await PluginCall.run(.complete(verb, networkNamespace: path))
      #expect(call.exitStatus == 0)
      #expect(call.output == (verb == "ADD" ? PluginCall.sampleResult : ""))
    }
  }

  @Test("DEL without a namespace compares nothing")
  func none() async throws {
    #expect(try await PluginCall.run(.complete("DEL", networkNamespace: "")).exitStatus == 0)
  }

  private struct Failure: IPAMFailure {
    var category = FailureCategory.failed
    var message = "full"
    var details = ""
  }

  @Test("a call that failed is not checked: there is one document", arguments: ["ADD", "DEL"])
  func afterFailure(verb: String) async throws {
    let call = try await PluginCall.run(.complete(verb, networkNamespace: Self.own), failure: Failure())
    #expect(call.exitStatus == 1)
    #expect(call.output == PluginCall.errorDocument(999, "full"))
  }
}
