import ArgumentParser
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

@testable import ipamctl

@Suite("ipamctl ipam explain")
final class IPAMExplainTests {
  private let fixture: CalicoFixture

  init() async throws {
    fixture = try CalicoFixture()
    try await fixture.put(.resource(.node, "node-a"), #"{"metadata":{"name":"node-a"},"spec":{}}"#)
    try await fixture.pool("default", "10.65.0.0/24", blockSize: 28)
    try await fixture.block("10.65.0.16/28", "host:node-a", [.pod(0, "h", node: "node-a"), .cooling(1)])
    let block = try #require(CIDR("10.65.0.16/28"))
    try await fixture.put(.affinity(BlockOwner(.host, "node-a"), block), #"{"state":"confirmed","deleted":false}"#)
  }

  private func explain(_ arguments: String...) async throws -> Transcript {
    await (try IPAMExplainCommand.asyncParse(arguments)).execute(fixture.session, nil)
  }

  @Test("tells the address and where it is from, with exit status 0, and writes nothing")
  func assigned() async throws {
    let before = try await fixture.session.items(.blocks(nil)).map(\.stored)
    let transcript = try await explain("--node", "node-a")
    #expect(transcript.status == 0)
    #expect(transcript.errors.isEmpty)
    // Without a cool-down what was released is free, and comes last.
    #expect(
      transcript.output.hasPrefix(
        """
        A new pod on node node-a would get 10.65.0.18.
          10.65.0.18 is from block 10.65.0.16/28 of pool default, which is affine to node-a: 15 of 16 free, 1 in use

        """), "\(transcript.output)")
    #expect(try await fixture.session.items(.blocks(nil)).map(\.stored) == before)
    #expect(try await fixture.session.items(.handles).isEmpty)
  }

  @Test("tells a refusal with what would help, and exit status 1")
  func refused() async throws {
    let transcript = try await explain("--node", "node-a", "--ip", "10.65.0.16")
    #expect(transcript.status == 1)
    #expect(transcript.output.contains("What would help:\n  - ask for another address: pod default/web on node node-a"))
    #expect(transcript.output.contains("      ipamctl ipam release --ip=10.65.0.16\n"))
  }

  @Test("prints one JSON document, whatever the answer is")
  func documents() async throws {
    for (arguments, outcome) in [(["--node=node-a"], "assigned"), (["--node=node-b"], "refused")] {
      let command = try await IPAMExplainCommand.asyncParse(arguments + ["-ojson"])
      let transcript = await command.execute(fixture.session, nil)
      let document = try JSON(parsing: Array(transcript.output.utf8)).objectValue
      #expect(document?["outcome"]?.stringValue == outcome)
      #expect(transcript.errors.isEmpty)
    }
  }

  @Test("takes annotations and labels as given, and a CNI configuration from a file")
  func suppositions() async throws {
    try await fixture.pool("web", "10.66.0.0/24", blockSize: 28, #","namespaceSelector":"team == 'web'""#)
    try await fixture.pool("six", "fd00::/64", blockSize: 122)
    let labelled = try await explain(
      "--node=node-a", "--namespace=shop", "--namespace-label", "team=web", "--pool", "web")
    #expect(labelled.output.hasPrefix("A new pod of namespace shop on node node-a would get 10.66.0."))
    let annotated = try await explain(
      "--node=node-a", "--pod-annotation", #"cni.projectcalico.org/ipv4pools=["web"]"#)
    #expect(annotated.output.contains("IPv4, from web (annotation of the pod)"))
    let path = try fixture.manifest(
      #"{"name":"pods","cniVersion":"1.0.0","plugins":[{"type":"calico","ipam":{"type":"calico-ipam","#
        + #""assign_ipv4":"false","assign_ipv6":"true"}}]}"#, "/10-calico.conflist")
    let configured = try await explain("--node=node-a", "--cni-config", path)
    #expect(configured.output.contains("which node-a would claim for it"))
    #expect(configured.output.contains("fd00::"))
  }

  @Test(
    "says what is wrong with an argument",
    arguments: [
      (["--ip=10.0.0.300"], "error: invalid IP address specified: 10.0.0.300\n"),
      (["--ip=10.0.0.1", "--ip=10.0.0.2"], "error: --ip names two IPv4 addresses; a pod has one of each version\n"),
      (["--pod-annotation=x"], "error: --pod-annotation \"x\": it must be KEY=VALUE\n"),
      (["--namespace-label==x"], "error: --namespace-label \"=x\": it must be KEY=VALUE\n"),
      (["--cni-config=/nonexistent/x"], "error: cannot read /nonexistent/x: no such file or directory\n"),
      (["--namespace=a;b"], "error: \"a;b\" is no name of a namespace\n"),
      (["--cni-config=/proc/self/comm"], "error: the CNI configuration is not JSON: "),
    ])
  func malformed(arguments: [String], expected: String) async throws {
    let command = try await IPAMExplainCommand.asyncParse(["--node=node-a"] + arguments)
    let transcript = await command.execute(fixture.session, nil)
    #expect(transcript.errors.hasPrefix(expected), "\(transcript.errors)")
    #expect(transcript.status == 1)
    #expect(transcript.output.isEmpty)
  }

  @Test("a store that cannot be read is an error, and no answer")
  func unreadable() async throws {
    let store = ChosenDatastore(UnreachableDatastore(), name: "nowhere")
    let transcript = await (try IPAMExplainCommand.asyncParse(["--node=node-a"])).execute(Session(store), nil)
    #expect(transcript == .failed("error: nobody answers"))
  }

  private struct UnreachableDatastore: Datastore {
    var commitsAtomically: Bool { true }

    func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
      throw DatastoreError(.unavailable, "nobody answers")
    }

    func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
      throw DatastoreError(.unavailable, "nobody answers")
    }

    func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream { WatchStream { { nil } } }
  }
}
