import CNI
import IPAM
import JSON
import Testing

@Suite("A call of a plugin")
struct CNIPluginTests {
  @Test("without a verb a banner goes to stderr, and nothing is read or done")
  func banner() async throws {
    for environment in [CNIEnvironment(), CNIEnvironment(containerID: "a/b", interfaceName: "..", path: "/x")] {
      let call = try await PluginCall.run(environment, input: "not JSON")
      #expect(call.exitStatus == 0)
      #expect(call.output.isEmpty)
      #expect(
        call.diagnostics == """
          CNI fake plugin v9.8.7
          CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0

          """)
      #expect(call.bytesRead == 0)
      #expect(call.calls.isEmpty)
    }
  }

  @Test("VERSION is answered in one line, without reading stdin")
  func version() async throws {
    for input in ["not JSON", #"{"cniVersion": "9.9.9", "name": "web"}"#, ""] {
      let call = try await PluginCall.run(CNIEnvironment(command: "VERSION"), input: input)
      #expect(call.exitStatus == 0)
      #expect(
        call.output == #"{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","#
          + #""1.0.0","1.1.0"]}"# + "\n")
      #expect(call.diagnostics.isEmpty)
      #expect(call.bytesRead == 0)
      #expect(call.calls.isEmpty)
    }
  }

  @Test("ADD prints the result in the version of the configuration")
  func add() async throws {
    let call = try await PluginCall.run(.complete("ADD"))
    #expect(call.exitStatus == 0)
    #expect(call.output == PluginCall.sampleResult)
    #expect(call.diagnostics.isEmpty)
    #expect(
      call.calls == [
        .made(.add, version: "1.1.0", network: "web"),
        .assign(AssignmentRequest(PluginCall.attachment)),
      ])
    let old = try await PluginCall.run(.complete("ADD"), input: #"{"name": "web"}"#)
    #expect(old.exitStatus == 0)
    #expect(old.output.hasPrefix("{\n    \"cniVersion\": \"0.1.0\",\n    \"ip4\": {\n"))
    #expect(old.calls.first == .made(.add, version: "0.1.0", network: "web"))
  }

  @Test("DEL and CHECK print nothing", arguments: ["DEL", "CHECK"])
  func silent(verb: String) async throws {
    let call = try await PluginCall.run(.complete(verb))
    #expect(call.exitStatus == 0)
    #expect(call.output.isEmpty)
    #expect(call.diagnostics.isEmpty)
    #expect(call.calls.count == 2)
    #expect(call.calls.first == .made(verb == "DEL" ? .del : .check, version: "1.1.0", network: "web"))
    #expect(call.calls.last == (verb == "DEL" ? .release(PluginCall.attachment) : .check(PluginCall.attachment)))
  }

  @Test("GC hands the list of the configuration on and prints nothing")
  func collection() async throws {
    let input = """
      {"cniVersion": "1.1.0", "name": "web", "cni.dev/valid-attachments": [{"containerID": "c1", "ifname": "eth0"}]}
      """
    let call = try await PluginCall.run(CNIEnvironment(command: "GC", path: "/x"), input: input)
    #expect(call.exitStatus == 0)
    #expect(call.output.isEmpty)
    #expect(call.calls == [.made(.gc, version: "1.1.0", network: "web"), .collect([PluginCall.attachment])])
  }

  @Test("GC without a list releases nothing and says so with code 7")
  func collectionWithoutList() async throws {
    let call = try await PluginCall.run(CNIEnvironment(command: "GC", path: "/x"))
    #expect(call.exitStatus == 1)
    #expect(call.output.hasPrefix("{\n    \"code\": 7,\n    \"msg\": \"GC needs the list cni.dev/valid-attachments\","))
    #expect(call.calls == [.made(.gc, version: "1.1.0", network: "web")])
  }

  @Test("STATUS asks the backend and prints nothing")
  func status() async throws {
    let call = try await PluginCall.run(CNIEnvironment(command: "STATUS", path: "/x"))
    #expect(call.exitStatus == 0)
    #expect(call.output.isEmpty)
    #expect(call.calls == [.made(.status, version: "1.1.0", network: "web"), .status])
  }

  @Test("the backend learns the attachment as bytes, and the arguments as pairs")
  func invocation() async throws {
    var environment = CNIEnvironment.complete("ADD", arguments: "IP=10.1.2.9;K8S_POD_NAME=web-0")
    environment.interfaceName = [0x65, 0xFF]
    let plugin = CNIPlugin(name: "fake", version: "1") { invocation in
      #expect(invocation.arguments.pieces.count == 2)
      #expect(invocation.attachment.interfaceName.bytes == [0x65, 0xFF])
      #expect(invocation.attachment.containerID == "c1")
      #expect(invocation.configuration.document["x"]?.stringValue == "y")
      invocation.streams.log("a warning")
      return FakeBackend(
        script: FakeBackend.Script(assignment: PluginCall.sampleAssignment, creationFailure: nil, failure: nil))
    }
    let stdin = try ScratchFile(Array(#"{"cniVersion": "1.0.0", "name": "web", "x": "y"}"#.utf8))
    let stdout = try ScratchFile()
    let stderr = try ScratchFile()
    let streams = CNIStreams(input: stdin.descriptor, output: stdout.descriptor, diagnostics: stderr.descriptor)
    #expect(await plugin.run(environment: environment, streams: streams) == 0)
    #expect(stderr.text == "a warning\n")
    #expect(stdout.text.contains("\"cniVersion\": \"1.0.0\""))
  }

  @Test("a result that cannot be written keeps the address and is told to stderr")
  func fullDevice() async throws {
    let call = try await PluginCall.run(.complete("ADD"), outputPath: "/dev/full")
    #expect(call.exitStatus == 1)
    #expect(
      call.diagnostics == "Error writing error JSON to stdout: write /dev/stdout: no space left on device\n")
    #expect(call.calls.last == .assign(AssignmentRequest(PluginCall.attachment)))
    #expect(call.calls.count == 2)
  }

  @Test("an error that cannot be written is told to stderr", arguments: ["FROB", "VERSION"])
  func fullDeviceForErrors(verb: String) async throws {
    let call = try await PluginCall.run(CNIEnvironment(command: verb), outputPath: "/dev/full")
    #expect(call.exitStatus == 1)
    #expect(
      call.diagnostics == "Error writing error JSON to stdout: write /dev/stdout: no space left on device\n")
  }
}
