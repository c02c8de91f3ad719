import CalicoBackend
import Datastore
import Synchronization

/// Pods, namespaces and virtual machines of a test.
final class FakeDirectory: WorkloadDirectory {
  struct Content: Sendable {
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

  private func find<Facts: Sendable>(
    _ kind: String, _ name: String, _ table: @Sendable (Content) -> [String: Facts]
  ) throws(CalicoFailure) -> Facts {
    let found = content.withLock { content in
      content.questions += 1
      return table(content)[name]
    }
    guard let found else { throw CalicoFailure("\(kind) \"\(name)\" not found") }
    return found
  }

  func namespace(_ name: String, deadline: Deadline) async throws(CalicoFailure) -> NamespaceFacts {
    try find("namespaces", name) { $0.namespaces }
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
    try find("virtualmachineinstances.kubevirt.io", name) { $0.instances }
  }

  func virtualMachine(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject {
    try find("virtualmachines.kubevirt.io", name) { $0.machines }
  }
}
