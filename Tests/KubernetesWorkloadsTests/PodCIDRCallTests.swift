import CalicoBackend
import JSON
import KubernetesWorkloads
import TestSupport
import Testing

@Suite("Asking for pod CIDRs", .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"))
struct PodCIDRCallTests {
  let server: KubernetesServer
  private let folder: TemporaryFolder

  init() throws {
    server = try KubernetesServer.shared
    folder = try TemporaryFolder()
    for (name, spec) in [
      ("call-a", #"{"podCIDRs":["10.65.3.0/24","fd00:65:3::/64"],"podCIDR":"10.65.3.0/24"}"#), ("call-b", "{}"),
    ] {
      let answer = try server.request("POST", "/api/v1/nodes", #"{"metadata":{"name":"\#(name)"},"spec":\#(spec)}"#)
      guard answer.status == 201 || answer.status == 409 else { throw SetupFailure(answer.body, 0) }
    }
  }

  /// A network configuration of host-local with further members.
  private func configuration(_ members: String, kubernetes: String? = nil) -> [UInt8] {
    let kubernetes = kubernetes ?? #""kubeconfig":"\#(server.kubeconfig)""#
    return Array(
      (#"{"cniVersion":"1.0.0","name":"net","ipam":{"type":"host-local","subnet":"usePodCidr"},"mtu":"odd","#
        + #""kubernetes":{\#(kubernetes)}\#(members)}"#).utf8)
  }

  private func answer(_ configuration: [UInt8]) async throws -> PodCIDRCall.Answer {
    try await PodCIDRCall().answer(to: configuration)
  }

  private func failure(_ configuration: [UInt8]) async -> CalicoFailure? {
    do throws(CalicoFailure) {
      _ = try await PodCIDRCall().answer(to: configuration)
      return nil
    } catch {
      return error
    }
  }

  @Test("The node's networks come with what tells it from another node of its name, and its cluster from others")
  func line() async throws {
    let answer = try await answer(configuration(#","nodename":"call-a""#))
    let line = try #require(try JSON(parsing: answer.line).objectValue)
    #expect(line["node"]?.stringValue == "call-a")
    #expect(line["uid"]?.stringValue?.utf8.count == 36)
    #expect(line["server"]?.stringValue == server.url)
    #expect(line["podCIDRs"]?.arrayValue?.compactMap(\.stringValue) == ["10.65.3.0/24", "fd00:65:3::/64"])
    #expect(!answer.line.contains(UInt8(ascii: "\n")))
  }

  @Test("kubernetes.node_name goes before nodename, that before the file, and keys count in any case")
  func nodeName() async throws {
    let kubernetes = #""kubeconfig":"\#(server.kubeconfig)","Node_Name":"call-a""#
    let named = configuration(#","nodename":"call-b""#, kubernetes: kubernetes)
    #expect(try await answer(named).node.name == "call-a")
    let file = try folder.write("call-a\n", to: "nodename")
    #expect(try await answer(configuration(#","NodeName_File":"\#(file)""#)).node.name == "call-a")
    #expect(try await answer(configuration(#","nodename_file":"\#(file)","nodename":"call-a""#)).node.name == "call-a")
    #expect(
      await failure(configuration(#","nodename_file":"/nowhere","hostname":"call-b""#))?.message.hasSuffix("call-b")
        == true)
  }

  @Test("The keys of policy lead to the server as well")
  func policy() async throws {
    let members =
      #","nodename":"call-a","policy":{"k8s_api_root":"\#(server.url)/api/v1","k8s_auth_token":"\#(server.token)","#
      + #""k8s_certificate_authority":"\#(server.certificates)/ca.crt"}"#
    #expect(try await answer(configuration(members, kubernetes: "")).node.name == "call-a")
  }

  @Test("A node that is missing or has no network, and a server that cannot be asked, are said with what to do")
  func refusals() async throws {
    let missing = await failure(configuration(#","nodename":"nowhere""#))
    #expect(missing?.message == "nodes \"nowhere\" not found")
    #expect(missing?.details.contains("nodename") == true)
    #expect(await failure(configuration(#","nodename":"call-b""#))?.message == "no podCidr for node call-b")
    let lost = await failure(configuration(#","nodename":"a""#, kubernetes: #""kubeconfig":"/nowhere/config""#))
    #expect(lost?.message == "no such kubeconfig: /nowhere/config")
    #expect(await failure(Array("{".utf8))?.message.contains("unexpected end of JSON input") == true)
  }

  @Test("As a command it reads stdin, and writes a line or the reason")
  func command() async throws {
    func run(_ configuration: [UInt8]) async throws -> (status: Int32, output: String, errors: String) {
      let names = ["input", "output", "errors"].map { folder.path + "/" + $0 }
      try folder.write(String(decoding: configuration, as: UTF8.self), to: "input")
      try folder.write("", to: "output")
      try folder.write("", to: "errors")
      let files = try names.map { try OpenFile($0) }
      let status = await PodCIDRCall().run(
        input: files[0].number, output: files[1].number, diagnostics: files[2].number)
      return (status, try TemporaryFolder.contents(of: names[1]), try TemporaryFolder.contents(of: names[2]))
    }
    let good = try await run(configuration(#","nodename":"call-a""#))
    #expect(good.status == 0)
    #expect(good.output.hasPrefix(#"{"node":"call-a","uid":""#))
    #expect(good.output.hasSuffix("}\n"))
    #expect(good.errors.isEmpty)
    let bad = try await run(configuration(#","nodename":"call-b""#))
    #expect(bad.status == 1)
    #expect(bad.output.isEmpty)
    let lines = bad.errors.split(separator: "\n")
    #expect(lines.first == "no podCidr for node call-b")
    #expect(lines.count == 2)
  }
}
