import CalicoModel

/// For whom addresses are assigned: a container, or the virtual machine that it runs.
struct AddressClaim: Sendable {
  let workload: Workload
  /// The machine, when the pod runs one.
  var machine: VirtualMachineFacts?
  /// Whether the addresses are the machine's and outlive its pods.
  var isPersistent = false
  var namespaceLabels: [String: String] = [:]

  init(_ workload: Workload) {
    self.workload = workload
  }

  /// The handle of the addresses.
  var handleID: String {
    guard isPersistent, let machine else { return workload.handleID }
    return workload.handleID(of: machine)
  }

  /// The most addresses of a family that the handle may have; 0 for any number.
  var maxPerHandle: Int { isPersistent ? 1 : 0 }

  /// What is recorded with the addresses.
  func attributes(timestamp: String) -> [String: String] {
    let attributes = workload.attributes(timestamp: timestamp)
    guard isPersistent, let machine else { return attributes }
    return attributes.merging(machine.attributes) { $1 }
  }
}

extension Workload {
  /// The handle of a virtual machine's addresses, whichever pod runs it (front-end specification, section 1.5).
  func handleID(of machine: VirtualMachineFacts) -> String {
    let network = networkName.isEmpty ? "k8s-pod-network" : networkName
    return LimitedName.make(
      prefix: network + ".vmi.", suffix: arguments.podNamespace + "." + machine.instanceName, limit: 128)
  }
}
