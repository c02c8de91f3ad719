import CNI
import CalicoBackend
import Datastore
import Synchronization
import Testing

/// A cluster of which the test says what is in it.
private final class FakeDirectory: WorkloadDirectory {
  private struct Contents {
    var pods: [String: PodFacts] = [:]
    var instances: [String: VirtualMachineObject] = [:]
    var machines: [String: VirtualMachineObject] = [:]
    var asked: [String] = []
  }

  private let contents = Mutex(Contents())

  func add(pod: PodFacts) { contents.withLock { $0.pods[pod.namespace + "/" + pod.name] = pod } }
  func add(instance: VirtualMachineObject) { contents.withLock { $0.instances["shop/" + instance.name] = instance } }
  func add(machine: VirtualMachineObject) { contents.withLock { $0.machines["shop/" + machine.name] = machine } }

  /// What was asked for, in order.
  var asked: [String] { contents.withLock { $0.asked } }

  func namespace(_ name: String, deadline: Deadline) async throws(CalicoFailure) -> NamespaceFacts {
    throw CalicoFailure("namespaces \"\(name)\" not found")
  }

  func pod(_ name: String, namespace: String, deadline: Deadline) async throws(CalicoFailure) -> PodFacts? {
    contents.withLock { contents in
      contents.asked.append("pod \(name)")
      return contents.pods[namespace + "/" + name]
    }
  }

  func virtualMachineInstance(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject {
    let found = contents.withLock { contents in
      contents.asked.append("instance \(name)")
      return contents.instances[namespace + "/" + name]
    }
    guard let found else { throw CalicoFailure("virtualmachineinstances.kubevirt.io \"\(name)\" not found") }
    return found
  }

  func virtualMachine(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject {
    let found = contents.withLock { contents in
      contents.asked.append("machine \(name)")
      return contents.machines[namespace + "/" + name]
    }
    guard let found else { throw CalicoFailure("virtualmachines.kubevirt.io \"\(name)\" not found") }
    return found
  }
}

@Suite("Recognising virtual machines")
struct VirtualMachineTests {
  private let directory = FakeDirectory()

  private func detect(_ pod: String = "virt-launcher-db-x", namespace: String = "shop") async throws
    -> VirtualMachineDetection
  {
    var arguments = try CalicoArguments(CNIArguments([]), isAdd: false)
    arguments.podName = pod
    arguments.podNamespace = namespace
    return try await directory.detectVirtualMachine(arguments, deadline: .after(milliseconds: 1000))
  }

  private func failure() async -> String? {
    do {
      _ = try await detect()
      return nil
    } catch {
      return (error as? CalicoFailure)?.message ?? "\(error)"
    }
  }

  private func instanceReference(
    name: String = "db", uid: String = "u-1", isController: Bool = true, apiVersion: String = "kubevirt.io/v1",
    kind: String = "VirtualMachineInstance"
  ) -> OwnerReference {
    OwnerReference(apiVersion: apiVersion, kind: kind, name: name, uid: uid, isController: isController)
  }

  private func addPod(_ owners: [OwnerReference], labels: [String: String] = [:]) {
    directory.add(pod: PodFacts(name: "virt-launcher-db-x", namespace: "shop", labels: labels, owners: owners))
  }

  @Test("Nobody is asked about a pod whose name cannot be a machine's, or about a workload that is no pod")
  func notAsked() async throws {
    #expect(try await detect("web-1") == .ordinaryPod)
    #expect(try await detect("virt-launcher-db-x", namespace: "") == .ordinaryPod)
    #expect(directory.asked.isEmpty)
  }

  @Test("A pod that is gone is told apart from one that is ordinary")
  func gone() async throws {
    #expect(try await detect() == .noSuchPod)
  }

  @Test("Only a controlling instance of KubeVirt makes a pod a machine's")
  func otherOwners() async throws {
    for owner in [
      instanceReference(isController: false), instanceReference(apiVersion: "kubevirt.io/v1alpha3"),
      instanceReference(kind: "ReplicaSet"),
    ] {
      addPod([owner])
      #expect(try await detect() == .ordinaryPod)
    }
    addPod([])
    #expect(try await detect() == .ordinaryPod)
    #expect(!directory.asked.contains("instance db"))
  }

  @Test("An instance that stands alone gives its addresses back when it is deleted itself")
  func instanceAlone() async throws {
    addPod([instanceReference()])
    directory.add(instance: VirtualMachineObject(name: "db", uid: "u-1", isBeingDeleted: true))
    let expected = VirtualMachineFacts(instanceName: "db", instanceUID: "u-1", isBeingDeleted: true)
    #expect(try await detect() == .machine(expected))
    #expect(expected.attributes == ["vmi-name": "db", "vmi-uid": "u-1"])
    #expect(!expected.isMigrationTarget)
  }

  @Test("Of an instance that belongs to a machine it is the machine's deletion that counts")
  func instanceOfMachine() async throws {
    addPod([instanceReference()])
    let owner = OwnerReference(apiVersion: "kubevirt.io/v1", kind: "VirtualMachine", name: "db", uid: "m-1")
    directory.add(instance: VirtualMachineObject(name: "db", uid: "u-1", isBeingDeleted: true, owners: [owner]))
    #expect(await failure() == "virtualmachines.kubevirt.io \"db\" not found")
    directory.add(machine: VirtualMachineObject(name: "db", uid: "m-1"))
    let expected = VirtualMachineFacts(instanceName: "db", instanceUID: "u-1", machineUID: "m-1")
    #expect(try await detect() == .machine(expected))
    #expect(expected.attributes["vm-uid"] == "m-1")
  }

  @Test("The migration's label makes a pod its target, unless it is empty")
  func migrationTarget() async throws {
    directory.add(instance: VirtualMachineObject(name: "db", uid: "u-1"))
    addPod([instanceReference()], labels: ["kubevirt.io/migrationJobUID": "j-1"])
    let expected = VirtualMachineFacts(instanceName: "db", instanceUID: "u-1", migrationUID: "j-1")
    #expect(try await detect() == .machine(expected))
    #expect(expected.isMigrationTarget)
    #expect(expected.attributes["vmim-uid"] == "j-1")
    addPod([instanceReference()], labels: ["kubevirt.io/migrationJobUID": ""])
    #expect(try await detect() == .machine(VirtualMachineFacts(instanceName: "db", instanceUID: "u-1")))
  }

  @Test("Instances that are missing, unnamed or another one are refused in upstream's words")
  func refusals() async {
    addPod([instanceReference()])
    #expect(
      await failure()
        == "failed to query VMI resource shop/db: virtualmachineinstances.kubevirt.io \"db\" not found")
    directory.add(instance: VirtualMachineObject(name: "db", uid: "u-2"))
    #expect(await failure() == "VMI UID mismatch: pod ownerReference has u-1 but VMI resource has u-2")
    addPod([instanceReference(name: "", uid: "")])
    #expect(
      await failure() == "pod shop/virt-launcher-db-x has invalid VMI ownerReference: name=\"\" uid=\"\"")
  }
}
