import CalicoBackend
import Datastore
import Synchronization

/// Pods, namespaces and virtual machines of a test.
final class FakeDirectory: WorkloadDirectory {
  struct Content {
    var namespaces: [String: NamespaceFacts] = [:]
    var pods: [String: PodFacts] = [:]
    var instances: [String: VirtualMachineObject] = [:]
    var machines: [String: VirtualMachineObject] = [:]
    /// How often anything was asked.
    var questions = 0
  }

  private let content = Mutex(Content())

  func change(_ body: (inout Content) -> Void) { content.withLock { body(&$0) } }

  var questions: Int { content.withLock { $0.questions } }

  private func find<Facts>(
    _ kind: String, _ name: String, _ table: KeyPath<Content, [String: Facts]>
  ) throws(CalicoFailure) -> Facts {
    let found = content.withLock { content in
      content.questions += 1
      return content[keyPath: table][name]
    }
    guard let found else { throw CalicoFailure("\(kind) \"\(name)\" not found") }
    return found
  }

  func namespace(_ name: String, deadline: Deadline) async throws(CalicoFailure) -> NamespaceFacts {
    try find("namespaces", name, \.namespaces)
  }

  func pod(_ name: String, namespace: String, deadline: Deadline) async throws(CalicoFailure) -> PodFacts? {
    content.withLock { content in
      content.questions += 1
      return content.pods[name]
    }
  }

  func virtualMachineInstance(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject {
    try find("virtualmachineinstances.kubevirt.io", name, \.instances)
  }

  func virtualMachine(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject {
    try find("virtualmachines.kubevirt.io", name, \.machines)
  }
}
