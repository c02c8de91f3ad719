import CalicoBackend
import CalicoModel
import CalicoPlugin
import Datastore
import Testing

@Suite("Pods, namespaces and virtual machines on assignment")
struct WorkloadTests {
  private let world: ClusterWorld
  private let directory = FakeDirectory()

  init() async throws {
    world = try ClusterWorld()
    try await world.createNode("n1")
    try await world.createPool("first", "10.65.0.0/16", blockSize: 26)
    try await world.createPool("second", "10.66.0.0/16", blockSize: 26)
    try await world.createPool("six", "fd00:65::/64", blockSize: 122)
    world.members = #""policy":{"type":"k8s"},"#
    world.arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=web;K8S_POD_NAME=pod"
    let directory = directory
    world.connection.workloads = { directory }
    annotate(pod: [:], namespace: [:])
  }

  private func annotate(pod: [String: String], namespace: [String: String]) {
    func full(_ annotations: [String: String]) -> [String: String] {
      Dictionary(uniqueKeysWithValues: annotations.map { ("cni.projectcalico.org/" + $0, $1) })
    }
    directory.change { content in
      content.pods["pod"] = PodFacts(name: "pod", namespace: "web", annotations: full(pod))
      content.namespaces["web"] = NamespaceFacts(name: "web", annotations: full(namespace))
    }
  }

  @Test("A warm ADD with look-ups is one read and one commit; the look-ups go on at the same time")
  func roundTrips() async throws {
    try await world.add("c1")
    _ = world.store.take()
    let before = directory.questions
    try await world.add("c2")
    let trips = world.store.take()
    #expect(trips.reads == 1)
    #expect(trips.commits == 1)
    #expect(directory.questions - before == 2)
  }

  @Test("The pod's pools count before the namespace's, and these before the configuration's")
  func pools() async throws {
    world.ipam = #""ipv4_pools":["first"],"#
    #expect(try await world.add("c1").first?.hasPrefix("10.65.") == true)
    annotate(pod: [:], namespace: ["ipv4pools": #"["second"]"#])
    #expect(try await world.add("c2").first?.hasPrefix("10.66.") == true)
    annotate(pod: ["ipv4pools": #"["10.65.0.0/16"]"#], namespace: ["ipv4pools": #"["second"]"#])
    #expect(try await world.add("c3").first?.hasPrefix("10.65.") == true)
  }

  @Test("Families are chosen by annotation")
  func families() async throws {
    annotate(pod: ["ipFamilies": #"["IPv6"]"#], namespace: [:])
    let addresses = try await world.add("c1")
    #expect(addresses.count == 1)
    #expect(addresses.first?.hasPrefix("fd00:65:") == true)
  }

  @Test("Addresses are asked for by annotation, one of each family, all or none")
  func addresses() async throws {
    annotate(pod: ["ipAddrs": #"["10.65.9.9","fd00:65::9"]"#], namespace: [:])
    #expect(try await world.add("c1") == ["10.65.9.9/32", "fd00:65::9/128"])
    annotate(pod: ["ipAddrs": #"["10.65.9.10","fd00:65::9"]"#], namespace: [:])
    #expect(try await world.call("ADD", "c2").message.contains("Address already assigned in block"))
    #expect(world.entries("handle/pods.c2").isEmpty)
  }

  @Test(
    "Malformed annotations are told in upstream's words, and nothing is assigned",
    arguments: [
      ("ipFamilies", #"["IPv5"]"#, #"error parsing ipFamilies: ["IPv5"]"#),
      ("ipAddrs", "[]", #"annotation "cni.projectcalico.org/ipAddrs" specified but empty"#),
      ("ipAddrs", #"["x"]"#, "invalid IP format: x"),
      (
        "ipAddrs", #"["10.0.0.1","10.0.0.2"]"#,
        #"cannot have more than one IPv4 address for "cni.projectcalico.org/ipAddrs" annotation"#
      ),
      ("ipv4pools", "{}", #"failed to parse annotation "cni.projectcalico.org/ipv4pools": it is no list"#),
    ])
  func malformed(name: String, value: String, expected: String) async throws {
    annotate(pod: [name: value], namespace: [:])
    #expect(try await world.call("ADD", "c1").message == expected)
    #expect(world.entries("handle").isEmpty)
  }

  @Test("Annotations count only with the policy of Kubernetes; the namespace is looked up with a kubeconfig as well")
  func policy() async throws {
    world.members = #""kubernetes":{"kubeconfig":"/k"},"#
    annotate(pod: ["ipv4pools": #"["second"]"#], namespace: [:])
    #expect(try await world.add("c1").first?.hasPrefix("10.65.") == true)
    #expect(directory.questions == 1)
    world.arguments = ""
    #expect(
      try await world.call("ADD", "c2").message == #"failed to get namespace default: namespaces "default" not found"#)
    world.members = ""
    #expect(try await world.call("ADD", "c2").status == 0)
  }

  @Test("A pool's namespace selector is matched against the namespace's labels")
  func namespaceSelector() async throws {
    try await world.createPool("third", "10.64.0.0/16", blockSize: 26, #","namespaceSelector":"team == 'a'""#)
    let before = try await world.add("c1")
    #expect(before.first?.hasPrefix("10.64.") == false)
    directory.change { $0.namespaces["web"]?.labels = ["team": "a"] }
    world.ipam = ""
    for pool in ["first", "second"] {
      let cidr = pool == "first" ? "10.65.0.0/16" : "10.66.0.0/16"
      let text = #"{"metadata":{"name":"\#(pool)"},"spec":{"cidr":"\#(cidr)","disabled":true}}"#
      let change = Change(.resource(.ipPool, pool), base: .any, final: .value(.resource(Array(text.utf8))))
      _ = try await world.store.base.commit(Plan([change]), deadline: .distantFuture)
    }
    #expect(try await world.add("c2").first?.hasPrefix("10.64.") == true)
  }

  // MARK: - Virtual machines

  /// A pod that runs the virtual machine `vm`.
  private func launch(_ pod: String, migration: String? = nil, isBeingDeleted: Bool = false) {
    let owner = OwnerReference(
      apiVersion: "kubevirt.io/v1", kind: "VirtualMachineInstance", name: "vm", uid: "i1", isController: true)
    let machine = OwnerReference(apiVersion: "kubevirt.io/v1", kind: "VirtualMachine", name: "vm", uid: "m1")
    directory.change { content in
      content.namespaces["web"] = NamespaceFacts(name: "web")
      content.pods[pod] = PodFacts(
        name: pod, namespace: "web", labels: migration.map { ["kubevirt.io/migrationJobUID": $0] } ?? [:],
        owners: [owner])
      content.instances["vm"] = VirtualMachineObject(name: "vm", uid: "i1", owners: [machine])
      content.machines["vm"] = VirtualMachineObject(name: "vm", uid: "m1", isBeingDeleted: isBeingDeleted)
    }
    world.arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=web;K8S_POD_NAME=\(pod)"
  }

  @Test("A virtual machine keeps its address from pod to pod, until it is deleted and its last pod has gone")
  func persistence() async throws {
    launch("virt-launcher-a")
    let addresses = try await world.add("c1")
    let address = try #require(addresses.first?.split(separator: "/").first)
    #expect(world.entries("handle") == ["/calico/ipam/v2/handle/pods.vmi.web.vm"])
    launch("virt-launcher-b", migration: "j1")
    let target = try await world.call("ADD", "c2")
    #expect(try target.addresses == ["\(address)/32"])
    #expect(!target.text.contains("\"dst\""))
    launch("virt-launcher-a")
    #expect(try await world.call("DEL", "c1").status == 0)
    #expect(!world.entries("handle").isEmpty)
    launch("virt-launcher-b", migration: "j1", isBeingDeleted: true)
    #expect(try await world.call("DEL", "c2").status == 0)
    #expect(world.entries("handle").isEmpty)
  }

  @Test("A migration's target without an address to take over is refused, and so is one whose pod is gone")
  func refusals() async throws {
    launch("virt-launcher-b", migration: "j1")
    #expect(
      try await world.call("ADD", "c1").message
        == "migration target pod but no IP allocated to VM handle pods.vmi.web.vm")
    world.arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=web;K8S_POD_NAME=virt-launcher-x"
    #expect(try await world.call("ADD", "c1").message == "failed to get VMI info: pod not found")
    #expect(try await world.call("DEL", "c1").status == 0)
  }
}
