import CalicoBackend
import CalicoEngine
import Datastore
import IPAddressing
import Testing

@testable import AssignmentExplanation

@Suite("What is asked for, and who says so")
struct WishesExplanationTests {
  private let world = World()

  init() {
    world.node("n1")
    for number in 1...3 { world.pool("p\(number)", "10.\(number).0.0/24", blockSize: 26) }
    world.pool("six", "fd00::/64", blockSize: 122)
  }

  /// A cluster in which a namespace, and perhaps a pod in it, have annotations.
  private struct Cluster: WorkloadDirectory {
    var namespace: [String: String] = [:]
    var pod: [String: String]?
    var owners: [OwnerReference] = []

    func namespace(_ name: String, deadline: Deadline) async throws(CalicoFailure) -> NamespaceFacts {
      guard name == "web" else { throw CalicoFailure("namespaces \"\(name)\" not found") }
      return NamespaceFacts(name: name, labels: ["team": "x"], annotations: namespace)
    }

    func pod(_ name: String, namespace: String, deadline: Deadline) async throws(CalicoFailure) -> PodFacts? {
      pod.map { PodFacts(name: name, namespace: namespace, annotations: $0, owners: owners) }
    }

    func virtualMachineInstance(
      _ name: String, namespace: String, deadline: Deadline
    ) async throws(CalicoFailure) -> VirtualMachineObject { VirtualMachineObject(name: name, uid: "i1") }

    func virtualMachine(
      _ name: String, namespace: String, deadline: Deadline
    ) async throws(CalicoFailure) -> VirtualMachineObject { VirtualMachineObject(name: name, uid: "m1") }
  }

  private static func key(_ name: String) -> String { "cni.projectcalico.org/" + name }

  private static let listOfPlugins = """
    {"name":"pods","cniVersion":"1.0.0","plugins":[{"type":"calico","policy":{"type":"k8s"},
     "log_file_path":"/nonexistent/cni.log","ipam":{"type":"calico-ipam","ipv4_pools":["p3"]}},{"type":"portmap"}]}
    """

  @Test("by default an IPv4 address of any pool that fits")
  func byDefault() async throws {
    let explanation = try await world.explain()
    #expect(explanation.text.contains("Asked for:\n  IPv4, from any pool that fits\n"))
    #expect(explanation.addresses.count == 1)
  }

  @Test("the configuration's pools, the namespace's before them, the pod's before those, and the command's before all")
  func order() async throws {
    let list = Array(Self.listOfPlugins.utf8)
    let configured = try await world.explain { $0.networkConfiguration = list }
    #expect(configured.addresses.map(\.pool) == ["p3"])
    #expect(configured.network == "pods")
    #expect(configured.text.contains("IPv4, from p3 (CNI configuration)"))
    let namespace = try await world.explain {
      $0.networkConfiguration = list
      $0.namespaceAnnotations = [Self.key("ipv4pools"): #"["p2"]"#]
    }
    #expect(namespace.addresses.map(\.pool) == ["p2"])
    #expect(namespace.wishes?.poolsV4Source == .annotation(.namespace))
    #expect(namespace.text.contains("IPv4, from p2 (annotation of the namespace)"))
    let pod = try await world.explain {
      $0.networkConfiguration = list
      $0.namespaceAnnotations = [Self.key("ipv4pools"): #"["p2"]"#]
      $0.podAnnotations = [Self.key("ipv4pools"): #"["p1"]"#]
    }
    #expect(pod.addresses.map(\.pool) == ["p1"])
    #expect(pod.wishes?.poolsV4Source == .annotation(.pod))
    let command = try await world.explain {
      $0.networkConfiguration = list
      $0.podAnnotations = [Self.key("ipv4pools"): #"["p1"]"#]
      $0.pools = ["p2"]
    }
    #expect(command.addresses.map(\.pool) == ["p2"])
    #expect(command.text.contains("IPv4, from p2 (this command)"))
  }

  @Test("annotations ask for IP versions and for addresses")
  func families() async throws {
    let sixth = try await world.explain { $0.podAnnotations = [Self.key("ipFamilies"): #"["IPv6"]"#] }
    #expect(sixth.addresses.map(\.pool) == ["six"])
    #expect(sixth.text.contains("IPv6 (annotation of the pod), from any pool that fits"))
    let addresses = try await world.explain { $0.podAnnotations = [Self.key("ipAddrs"): #"["10.2.0.9"]"#] }
    #expect(addresses.answer == "10.2.0.9/32")
    #expect(addresses.text.contains("10.2.0.9 (annotation of the pod)"))
    let malformed = try await world.explain { $0.podAnnotations = [Self.key("ipv4pools"): "p1"] }
    #expect(malformed.answer.hasPrefix("failed to parse annotation \"cni.projectcalico.org/ipv4pools\""))
    #expect(malformed.remedies.first?.text.hasPrefix("it must be a list of texts") == true)
    #expect(malformed.wishes == nil)
  }

  @Test("a configuration without the policy of Kubernetes heeds no annotations, and that is said")
  func withoutPolicy() async throws {
    let explanation = try await world.explain {
      $0.networkConfiguration = Array(#"{"name":"n","cniVersion":"1.0.0","ipam":{"type":"calico-ipam"}}"#.utf8)
      $0.podAnnotations = [Self.key("ipv4pools"): #"["p2"]"#]
    }
    #expect(explanation.wishes?.poolsV4.isEmpty == true)
    #expect(explanation.notes.first?.contains("so that annotations do not count") == true)
  }

  @Test("where a cluster knows pods and namespaces, they are looked up there")
  func cluster() async throws {
    world.pool("p0", "10.0.0.0/24", blockSize: 26, #","namespaceSelector":"team == 'x'""#)
    world.directory = Cluster(namespace: [:], pod: [:])
    let labelled = try await world.explain {
      $0.namespace = "web"
      $0.pod = "web-0"
    }
    #expect(labelled.addresses.map(\.pool) == ["p0"])
    #expect(labelled.text.hasPrefix("Pod web/web-0 on node n1 would get 10.0.0."))
    #expect(labelled.notes.isEmpty)
    world.directory = Cluster(namespace: [Self.key("ipv4pools"): #"["p2"]"#], pod: nil)
    let absent = try await world.explain {
      $0.namespace = "web"
      $0.pod = "web-0"
    }
    #expect(absent.addresses.map(\.pool) == ["p2"])
    #expect(absent.notes == ["there is no pod web/web-0: this is what a new one would get"])
    let any = try await world.explain { $0.namespace = "web" }
    #expect(any.addresses.map(\.pool) == ["p2"])
    #expect(any.notes.isEmpty)
    let missing = try await world.explain()
    #expect(missing.answer == #"failed to get namespace default: namespaces "default" not found"#)
  }

  @Test("where nobody knows pods and namespaces, that is said of a question about one")
  func nobodyKnows() async throws {
    let explanation = try await world.explain { $0.namespace = "web" }
    #expect(explanation.isAssigned)
    #expect(explanation.notes.first?.contains("--namespace-annotation") == true)
  }

  @Test("a virtual machine keeps its address")
  func virtualMachine() async throws {
    let owner = OwnerReference(
      apiVersion: "kubevirt.io/v1", kind: "VirtualMachineInstance", name: "vm", uid: "i1", isController: true)
    world.directory = Cluster(namespace: [:], pod: [:], owners: [owner])
    try await world.take("10.1.0.7", handle: "k8s-pod-network.vmi.web.vm", host: "n1")
    let explanation = try await world.explain {
      $0.namespace = "web"
      $0.pod = "virt-launcher-vm"
    }
    #expect(explanation.answer == "10.1.0.7/32")
    #expect(explanation.kept == ["10.1.0.7"])
    #expect(explanation.text.contains("10.1.0.7 is the virtual machine's already"))
  }

  @Test(
    "a question that cannot be put says why",
    arguments: [
      ("{", "the CNI configuration is not JSON: "), ("[]", "the CNI configuration is no JSON object"),
      (#"{"ipam":{"type":"host-local"}}"#, #"the CNI configuration has an `ipam` of type "host-local""#),
      (#"{"plugins":[{"type":"bridge"}]}"#, "no plugin of the CNI configuration list has an `ipam`"),
      (#"{"ipam":{"type":"calico-ipam"}}"#, "the CNI configuration cannot be used: missing network name"),
      (
        #"{"name":"n","ipam":{"type":"calico-ipam","assign_ipv4":1}}"#,
        "the CNI configuration cannot be used: failed to load netconf"
      ),
    ])
  func malformed(configuration: String, expected: String) async throws {
    let error = await #expect(throws: QuestionError.self) {
      _ = try await world.explain { $0.networkConfiguration = Array(configuration.utf8) }
    }
    #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "")")
  }

  @Test("names that would say something else in CNI_ARGS are refused", arguments: ["a;IP=10.1.0.9", "", "a=b", "-a"])
  func names(name: String) async throws {
    await #expect(throws: QuestionError.self) { _ = try await world.explain { $0.namespace = name } }
    await #expect(throws: QuestionError.self) { _ = try await world.explain { $0.pod = name } }
  }
}
