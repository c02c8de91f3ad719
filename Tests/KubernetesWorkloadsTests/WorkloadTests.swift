import CalicoBackend
import CalicoEngine
import Datastore
import DatastoreSettings
import KubernetesClient
import KubernetesWorkloads
import Synchronization
import TestSupport
import Testing

@Suite("Look-ups in a cluster", .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"))
struct WorkloadTests {
  let server: KubernetesServer
  let workloads: KubernetesWorkloads
  private let deadline = Deadline.after(milliseconds: 20_000)

  init() throws {
    server = try KubernetesServer.shared
    var settings = KubernetesSettings()
    settings.kubeconfig = server.kubeconfig
    workloads = KubernetesWorkloads(try KubernetesClient(settings))
  }

  private func make(_ path: String, _ body: String) throws {
    let answer = try server.request("POST", path, body)
    #expect(answer.status == 201 || answer.status == 409, "\(answer.body)")
  }

  private func failure(_ body: () async throws -> Void) async -> CalicoFailure? {
    do {
      try await body()
      return nil
    } catch {
      return error as? CalicoFailure
    }
  }

  @Test("A node is read with its UID, pod CIDRs, and labels of both kinds, its own before the annotation's")
  func node() async throws {
    let annotation = #"{\"zone\":\"annotated\",\"rack\":\"r1\"}"#
    try make(
      "/api/v1/nodes",
      #"{"metadata":{"name":"node-a","labels":{"zone":"own"},"#
        + #""annotations":{"projectcalico.org/labels":"\#(annotation)"}},"#
        + #""spec":{"podCIDR":"10.65.3.0/24","podCIDRs":["10.65.3.0/24","fd00:65:3::/64"]}}"#)
    let node = try await workloads.node("node-a", deadline: deadline)
    #expect(node.name == "node-a")
    #expect(node.uid.utf8.count == 36)
    #expect(node.labels["zone"] == "own")
    #expect(node.labels["rack"] == "r1")
    #expect(node.podCIDRs == ["10.65.3.0/24", "fd00:65:3::/64"])
  }

  @Test("A namespace has labels and annotations, and that there is none is said in the cluster's words")
  func namespace() async throws {
    try make(
      "/api/v1/namespaces",
      #"{"metadata":{"name":"shop-1","labels":{"tier":"db"},"annotations":{"cni.projectcalico.org/ipv4pools":"[]"}}}"#)
    let namespace = try await workloads.namespace("shop-1", deadline: deadline)
    #expect(namespace.labels["tier"] == "db")
    #expect(namespace.annotations == ["cni.projectcalico.org/ipv4pools": "[]"])
    let missing = await failure { _ = try await workloads.namespace("nowhere", deadline: deadline) }
    #expect(missing?.message == "namespaces \"nowhere\" not found")
    #expect(missing?.code == .doesNotExist)
  }

  @Test("A pod has labels, annotations, owners and a UID; one that is not there is none")
  func pod() async throws {
    try make(
      "/api/v1/namespaces/default/pods",
      #"{"metadata":{"name":"virt-launcher-a","labels":{"kubevirt.io/migrationJobUID":"j"},"#
        + #""annotations":{"a":"b"},"ownerReferences":[{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachineInstance","#
        + #""name":"a","uid":"u-1","controller":true}]},"spec":{"containers":[{"name":"c","image":"i"}]}}"#)
    let pod = try #require(
      try await workloads.pod("virt-launcher-a", namespace: "default", deadline: deadline))
    #expect(pod.name == "virt-launcher-a")
    #expect(pod.namespace == "default")
    #expect(pod.labels == ["kubevirt.io/migrationJobUID": "j"])
    #expect(pod.annotations["a"] == "b")
    #expect(
      pod.owners == [
        OwnerReference(
          apiVersion: "kubevirt.io/v1", kind: "VirtualMachineInstance", name: "a", uid: "u-1", isController: true)
      ])
    #expect(try await workloads.pod("nobody", namespace: "default", deadline: deadline) == nil)
  }

  @Test("A cluster without KubeVirt says so when a machine is asked for")
  func noKubeVirt() async throws {
    let missing = await failure {
      _ = try await workloads.virtualMachineInstance("a", namespace: "default", deadline: deadline)
    }
    let message = try #require(missing?.message)
    #expect(message.contains("404") && message.contains("/apis/kubevirt.io/v1/namespaces/default/"))
    #expect(missing?.code == nil)
  }

  @Test("Names that would lead elsewhere in the API are not sent; others are sent as they are")
  func hostileNames() async throws {
    for name in ["", ".", ".."] {
      let refused = await failure { _ = try await workloads.namespace(name, deadline: deadline) }
      #expect(refused?.message == "namespaces \"\(name)\" cannot exist: it is not a valid name")
    }
    for name in ["default/../kube-system", "a?watch=1", "a b", "ä%2e"] {
      let refused = await failure { _ = try await workloads.namespace(name, deadline: deadline) }
      #expect(refused != nil)
    }
  }
}

/// Answers in a given order.
private final class ScriptedTransport: KubernetesTransport {
  let answers: Mutex<[KubernetesResponse]>

  init(_ answers: [KubernetesResponse]) { self.answers = Mutex(answers) }

  func send(
    _ request: KubernetesRequest, deadline: Deadline
  ) async throws(KubernetesTransportError) -> KubernetesResponse {
    let answer = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    guard let answer else { throw KubernetesTransportError(.unreachable, "no more answers", advice: "stop asking") }
    return answer
  }

  func stream(
    _ request: KubernetesRequest, by unit: KubernetesStream.Unit, idleTimeout: Duration
  ) async throws(KubernetesTransportError) -> KubernetesStream {
    throw KubernetesTransportError(.unreachable, "no watch")
  }
}

@Suite("Answers to look-ups")
struct LookUpAnswerTests {
  private func ask(
    _ answers: KubernetesResponse..., milliseconds: UInt64 = 5000
  ) async throws(CalicoFailure) -> NamespaceFacts {
    try await KubernetesWorkloads(ScriptedTransport(answers))
      .namespace("web", deadline: .after(milliseconds: milliseconds))
  }

  private func failure(_ answers: KubernetesResponse..., milliseconds: UInt64 = 5000) async -> CalicoFailure? {
    do throws(CalicoFailure) {
      _ = try await KubernetesWorkloads(ScriptedTransport(answers))
        .namespace("web", deadline: .after(milliseconds: milliseconds))
      return nil
    } catch {
      return error
    }
  }

  private let web = KubernetesResponse(status: 200, body: Array(#"{"metadata":{"name":"web"}}"#.utf8))
  private let busy = KubernetesResponse(status: 429, body: Array(#"{"message":"slow down"}"#.utf8), retryAfter: 1)

  @Test("A server that is busy is asked again after the time that it names")
  func busyServer() async throws {
    #expect(try await ask(busy, web) == NamespaceFacts(name: "web"))
  }

  @Test("But not beyond the deadline")
  func busyBeyondDeadline() async {
    let refused = await failure(busy, web, milliseconds: 500)
    #expect(refused?.message == "slow down")
    #expect(refused?.details.isEmpty == false)
  }

  @Test(
    "Refusals carry the server's words, or at least the status, and what to do",
    arguments: [
      (401, #"{"message":"Unauthorized"}"#, "Unauthorized", "renew the token"),
      (403, #"{"message":"namespaces is forbidden"}"#, "namespaces is forbidden", "grant the user `get` on namespaces"),
      (500, "<html>", "the API server answered 500 to GET /api/v1/namespaces/web", ""),
    ])
  func refusals(status: Int, body: String, message: String, advice: String) async {
    let refused = await failure(KubernetesResponse(status: status, body: Array(body.utf8)))
    #expect(refused?.message == message)
    #expect(advice.isEmpty || refused?.details.contains(advice) == true)
    #expect(refused?.code == nil)
  }

  @Test("What is no object of Kubernetes is refused", arguments: ["", "[]", "{}", "<html>"])
  func malformed(body: String) async {
    let refused = await failure(KubernetesResponse(status: 200, body: Array(body.utf8)))
    #expect(refused?.message.hasPrefix("the answer of the API server about namespaces \"web\"") == true)
  }

  @Test("Members of a wrong type count as absent")
  func wrongTypes() async throws {
    let odd = #"{"metadata":{"name":"web","labels":{"a":1,"b":"c"},"annotations":[],"ownerReferences":[7]}}"#
    let namespace = try await ask(KubernetesResponse(status: 200, body: Array(odd.utf8)))
    #expect(namespace == NamespaceFacts(name: "web", labels: ["b": "c"]))
  }

  @Test("A server that cannot be asked is named with what to do")
  func noAnswer() async {
    let refused = await failure()
    #expect(refused == CalicoFailure("no more answers", details: "stop asking"))
  }
}
