import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import IntegrityCheck
import KubernetesWorkloads
import Terminal

// A cluster.

extension AddressUsers {
  func reportCluster(
    to check: inout IntegrityCheck, _ workloads: KubernetesWorkloads
  ) async throws -> (knowledge: UserKnowledge, warnings: [String]) {
    check.say("Loading all service load balancer IPs.")
    if let assignment = try await workloads.loadBalancerAssignment(deadline: .after(milliseconds: Self.patience)) {
      var count = 0
      try await workloads.forEachService(millisecondsPerPage: Self.patience) { service in
        guard service.isManaged(assignment) else { return }
        count += 1
        for address in service.addresses { check.use(address, by: IntegrityCheck.User(PrintableText.of(service.name))) }
      }
      check.say("Found \(count) service load balancer(s).")
    } else {
      check.say("No configuration for LoadBalancer kubecontroller found, skipping service check")
    }
    check.say()
    check.say("Loading all workload endpoints.")
    defer { ProgressLine.ofProcess.erase() }
    var (count, pods) = (0, 0)
    try await workloads.forEachPod(millisecondsPerPage: Self.patience) { pod in
      pods += 1
      ProgressLine.ofProcess.show("reading the cluster: \(pods.grouped) pods")
      guard !pod.usesHostNetwork else { return }
      if !pod.hasToldAddresses { check.await(pod: "\(pod.namespace)/\(pod.name)") }
      guard !pod.isEvicted else { return }
      for address in pod.addresses {
        let user = IntegrityCheck.User(
          "Workload(\(pod.namespace)/\(pod.endpointName))", pod: "\(pod.namespace)/\(pod.name)")
        check.use(address, by: user)
        count += 1
      }
    }
    check.say("Found \(count) workload IPs.")
    sum(check)
    return (.complete, [])
  }

  // MARK: Proof

  /// Whether an address nobody uses is that of a pod, a virtual machine or a node that is gone (front-end specification,
  /// section 5.4).
  static func proof(
    _ leak: Leak, _ workloads: KubernetesWorkloads, _ namesNodesAlike: Bool
  ) async throws(CalicoFailure) -> Proof {
    let owner = leak.attribute?.owner ?? [:]
    let node = owner["node"] ?? ""
    let deadline = Deadline.after(milliseconds: patience)
    if let type = owner["type"], TunnelAddressKind(rawValue: type) != nil {
      guard namesNodesAlike, !node.isEmpty else { return .doubtful("it is a tunnel's of a node that is not named") }
      return try await exists({ () throws(CalicoFailure) in _ = try await workloads.node(node, deadline: deadline) })
        ? .doubtful("node \(node) is there") : .dead("node \(node) is gone")
    }
    guard let namespace = owner["namespace"], !namespace.isEmpty, let name = owner["pod"], !name.isEmpty else {
      return .doubtful("it is neither a pod's nor a tunnel's")
    }
    if let machine = owner["vmi-name"], !machine.isEmpty {
      let isThere = try await exists({ () throws(CalicoFailure) in
        _ = try await workloads.virtualMachine(machine, namespace: namespace, deadline: deadline)
      })
      if isThere { return .doubtful("virtual machine \(namespace)/\(machine) is there") }
      let runs = try await exists({ () throws(CalicoFailure) in
        _ = try await workloads.virtualMachineInstance(machine, namespace: namespace, deadline: deadline)
      })
      return runs
        ? .doubtful("virtual machine instance \(namespace)/\(machine) is there")
        : .dead("virtual machine \(namespace)/\(machine) is gone")
    }
    guard let pod = try await workloads.use(ofPod: name, namespace: namespace, deadline: deadline) else {
      return .dead("pod \(namespace)/\(name) is gone")
    }
    if pod.addresses.contains(leak.address) { return .doubtful("pod \(namespace)/\(name) has it") }
    if pod.isEvicted { return .dead("pod \(namespace)/\(name) was evicted") }
    if namesNodesAlike, !pod.node.isEmpty, !node.isEmpty, pod.node != node {
      return .dead("pod \(namespace)/\(name) is now on node \(pod.node)")
    }
    guard pod.hasToldAddresses else { return .doubtful("pod \(namespace)/\(name) has not told its addresses") }
    let others = pod.addresses.map(\.description).joined(separator: ", ")
    return .dead("pod \(namespace)/\(name) has \(others)")
  }

  /// Whether there is something: that there is not has to be said by the server.
  private static func exists(
    _ look: () async throws(CalicoFailure) -> Void
  ) async throws(CalicoFailure) -> Bool {
    do throws(CalicoFailure) {
      try await look()
      return true
    } catch {
      guard error.code == .doesNotExist else { throw error }
      return false
    }
  }
}
