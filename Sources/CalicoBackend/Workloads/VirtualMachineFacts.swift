public import Datastore

/// The virtual machine that a pod runs, as its addresses are concerned (front-end specification, section 1.10).
public struct VirtualMachineFacts: Hashable, Sendable {
  /// The name of the instance, which is that of the machine as well.
  public var instanceName: String
  public var instanceUID: String
  /// The UID of the `VirtualMachine` that the instance belongs to; nil for an instance that stands alone.
  public var machineUID: String?
  /// The UID of the migration whose target the pod is; nil for every other pod.
  public var migrationUID: String?
  /// Whether the machine is being deleted, or the instance when it stands alone: only then are addresses given back.
  public var isBeingDeleted: Bool

  public var isMigrationTarget: Bool { migrationUID != nil }

  public init(
    instanceName: String, instanceUID: String, machineUID: String? = nil, migrationUID: String? = nil,
    isBeingDeleted: Bool = false
  ) {
    self.instanceName = instanceName
    self.instanceUID = instanceUID
    self.machineUID = machineUID
    self.migrationUID = migrationUID
    self.isBeingDeleted = isBeingDeleted
  }

  /// What is recorded with the machine's addresses besides what every workload's have.
  public var attributes: [String: String] {
    var attributes = ["vmi-name": instanceName, "vmi-uid": instanceUID]
    attributes["vm-uid"] = machineUID
    attributes["vmim-uid"] = migrationUID
    return attributes
  }
}

/// What a pod turns out to be.
public enum VirtualMachineDetection: Hashable, Sendable {
  /// A pod like any other.
  case ordinaryPod
  /// There is no such pod: an error on ADD, and nothing to do on DEL.
  case noSuchPod
  case machine(VirtualMachineFacts)
}

extension WorkloadDirectory {
  /// Finds out whether a workload runs a virtual machine.
  ///
  /// Asks nobody unless the pod's name says that it may. Otherwise up to three requests, one after the other, since each
  /// names what the next asks for.
  ///
  /// - Parameters:
  ///   - arguments: what `CNI_ARGS` says of the workload.
  ///   - deadline: when to give up.
  /// - Returns: what the pod is.
  /// - Throws: ``CalicoFailure`` in upstream's words, without the "failed to get VMI info: " that ADD and DEL put in
  ///   front.
  public func detectVirtualMachine(
    _ arguments: CalicoArguments, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineDetection {
    guard arguments.isKubernetes, arguments.podName.hasPrefix("virt-launcher-") else { return .ordinaryPod }
    let namespace = arguments.podNamespace
    guard let pod = try await pod(arguments.podName, namespace: namespace, deadline: deadline) else {
      return .noSuchPod
    }
    let owner = pod.owners.first {
      $0.apiVersion == "kubevirt.io/v1" && $0.kind == "VirtualMachineInstance" && $0.isController
    }
    guard let owner else { return .ordinaryPod }
    guard !owner.name.isEmpty, !owner.uid.isEmpty else {
      throw CalicoFailure(
        "pod \(namespace)/\(arguments.podName) has invalid VMI ownerReference: name=\"\(owner.name)\" "
          + "uid=\"\(owner.uid)\"")
    }
    return .machine(try await facts(of: pod, owner, deadline: deadline))
  }

  private func facts(
    of pod: PodFacts, _ owner: OwnerReference, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineFacts {
    let instance: VirtualMachineObject
    do throws(CalicoFailure) {
      instance = try await virtualMachineInstance(owner.name, namespace: pod.namespace, deadline: deadline)
    } catch {
      var failure = error
      failure.message = "failed to query VMI resource \(pod.namespace)/\(owner.name): \(error.message)"
      throw failure
    }
    guard instance.uid == owner.uid else {
      throw CalicoFailure(
        "VMI UID mismatch: pod ownerReference has \(owner.uid) but VMI resource has \(instance.uid)",
        details: "the virtual machine was made anew while this pod of the old one is still there; delete the pod")
    }
    let migration = pod.labels["kubevirt.io/migrationJobUID"].flatMap { $0.isEmpty ? nil : $0 }
    var facts = VirtualMachineFacts(
      instanceName: instance.name, instanceUID: instance.uid, migrationUID: migration,
      isBeingDeleted: instance.isBeingDeleted)
    if let reference = instance.owners.first(where: { $0.apiVersion == "kubevirt.io/v1" && $0.kind == "VirtualMachine" }
    ) {
      let machine = try await virtualMachine(reference.name, namespace: pod.namespace, deadline: deadline)
      facts.machineUID = machine.uid
      facts.isBeingDeleted = machine.isBeingDeleted
    }
    return facts
  }
}
