import CalicoBackend
import Datastore
import Synchronization

/// The pods and namespaces of a cluster as a question supposes them: those that there are, if anybody knows them, with the
/// annotations and labels that the question gives.
final class AssumedWorkloads: WorkloadDirectory {
  /// The name of a pod of which nothing is known but its namespace.
  static let newPod = "new-pod"

  private let question: AssignmentQuestion
  private let base: (any WorkloadDirectory)?
  private let absentPod = Mutex(false)

  init(_ question: AssignmentQuestion, base: (any WorkloadDirectory)?) {
    self.question = question
    self.base = base
  }

  /// Whether the cluster does not know the pod of the question.
  var lacksPod: Bool { absentPod.withLock { $0 } }

  func namespace(_ name: String, deadline: Deadline) async throws(CalicoFailure) -> NamespaceFacts {
    var facts = NamespaceFacts(name: name)
    if let base { facts = try await base.namespace(name, deadline: deadline) }
    facts.labels.merge(question.namespaceLabels) { $1 }
    facts.annotations = annotations(facts.annotations, question.namespaceAnnotations)
    return facts
  }

  func pod(_ name: String, namespace: String, deadline: Deadline) async throws(CalicoFailure) -> PodFacts? {
    var facts: PodFacts?
    if let base, question.pod != nil {
      facts = try await base.pod(name, namespace: namespace, deadline: deadline)
      if facts == nil { absentPod.withLock { $0 = true } }
    }
    // A pod that is not there is not made up: what would become of it depends on that for virtual machines.
    guard facts != nil || base == nil || !question.podAnnotations.isEmpty else { return nil }
    var assumed = facts ?? PodFacts(name: name, namespace: namespace)
    assumed.annotations = annotations(assumed.annotations, question.podAnnotations)
    return assumed
  }

  func virtualMachineInstance(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject {
    guard let base else { throw Self.unknown(name) }
    return try await base.virtualMachineInstance(name, namespace: namespace, deadline: deadline)
  }

  func virtualMachine(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject {
    guard let base else { throw Self.unknown(name) }
    return try await base.virtualMachine(name, namespace: namespace, deadline: deadline)
  }

  private static func unknown(_ name: String) -> CalicoFailure {
    CalicoFailure("nobody knows the virtual machine \(name): the datastore is not Kubernetes")
  }

  /// What there is with what the question gives. A question that names pools leaves out what asks for others.
  private func annotations(_ found: [String: String], _ given: [String: String]) -> [String: String] {
    var annotations = found.merging(given) { $1 }
    guard !question.pools.isEmpty else { return annotations }
    for name in ["ipv4pools", "ipv6pools", "ipFamilies", "ipAddrs"] {
      annotations["cni.projectcalico.org/" + name] = nil
    }
    return annotations
  }
}
