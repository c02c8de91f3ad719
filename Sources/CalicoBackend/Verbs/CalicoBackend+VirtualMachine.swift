import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing

// Addresses of KubeVirt's virtual machines, which outlive the pods that run them (front-end specification, section 1.10).

extension CalicoBackend {
  /// Finds out whether the workload runs a virtual machine.
  func detectVirtualMachine(_ workload: Workload) async throws -> VirtualMachineDetection {
    let arguments = workload.arguments
    guard let workloads = surroundings.workloads, arguments.isKubernetes, arguments.podName.hasPrefix("virt-launcher-")
    else { return .ordinaryPod }
    let directory = try workloads()
    do {
      return try await directory.detectVirtualMachine(arguments, deadline: .after(milliseconds: 30_000))
    } catch {
      throw error.prefixed("failed to get VMI info: ")
    }
  }

  /// Whose addresses an ADD assigns.
  func claim(
    _ workload: Workload, _ detection: VirtualMachineDetection, _ runner: Runner
  ) async throws -> AddressClaim {
    var claim = AddressClaim(workload)
    switch detection {
    case .ordinaryPod: break
    case .noSuchPod:
      throw CalicoFailure(
        "failed to get VMI info: pod not found",
        details: "pod \(workload.arguments.podNamespace)/\(workload.arguments.podName) is gone; nothing was assigned")
    case .machine(let machine):
      claim.machine = machine
      claim.isPersistent = try await persists(machine, runner)
      guard claim.isPersistent || !machine.isMigrationTarget else {
        throw CalicoFailure(
          "live migration target pod is not allowed when KubeVirtVMAddressPersistence is disabled",
          details: "`ipamctl ipam configure --kubevirt-ip-persistence=Enabled` lets machines keep their addresses")
      }
    }
    return claim
  }

  /// Whether machines keep their addresses: unless the configuration can be read and says that they do not.
  func persists(_ machine: VirtualMachineFacts, _ runner: Runner) async throws -> Bool {
    guard let results = try? await runner.store.read([.entry(.configuration)], deadline: .after(milliseconds: 10_000)),
      case .entry(let stored?)? = results.first, let found = try? stored.configuration()
    else { return true }
    return found.virtualMachineAddressPersistence != .disabled
  }

  /// The addresses that the machine has already, now recorded as this pod's; nil when it has none.
  func keptAddresses(_ claim: AddressClaim, _ runner: Runner) async throws -> [CIDR]? {
    let isTarget = claim.machine?.isMigrationTarget ?? false
    let deadline = Deadline.after(milliseconds: 30_000)
    let held: [AcquiredAddress]
    do {
      held = try await runner.run(AddressesOfHandle(claim.handleID, time: surroundings.now()), deadline: deadline)
    } catch let error as EngineError where error.code == .doesNotExist {
      held = []
    } catch let error as EngineError {
      throw CalicoFailure(error, prefix: "failed to get existing IPs for VM handle \(claim.handleID): ")
    }
    guard !held.isEmpty else {
      guard !isTarget else {
        throw CalicoFailure(
          "migration target pod but no IP allocated to VM handle \(claim.handleID)",
          details: "the pod that the machine comes from must have its addresses first")
      }
      return nil
    }
    for address in held.map(\.address.address) {
      let time = surroundings.now()
      let side = SetOwnerAttributes.Side(claim.attributes(timestamp: time.attributeText))
      let change = SetOwnerAttributes(
        address, handleID: claim.handleID, owner: isTarget ? nil : side, alternateOwner: isTarget ? side : nil,
        time: time)
      do {
        try await runner.run(change, deadline: deadline)
      } catch let error as EngineError {
        throw CalicoFailure(error, prefix: "failed to set owner attributes for IP \(address): ")
      }
    }
    return held.map { CIDR(host: $0.address.address) }
  }

  /// Takes this pod off the machine's addresses, and gives them back when the machine is going and nobody is left.
  func release(_ machine: VirtualMachineFacts, of workload: Workload, _ runner: Runner) async throws {
    let handleID = workload.handleID(of: machine)
    let deadline = deadline
    let held = try await runner.run(AddressesOfHandle(handleID, time: surroundings.now()), deadline: deadline)
    let addresses = held.map(\.address.address)
    for address in addresses { try await leave(address, handleID, workload, deadline, runner) }
    var isOwned = false
    for address in addresses {
      do {
        let query = AttributesOfAddress(address, time: surroundings.now())
        let found = try await runner.run(query, deadline: deadline)
        if !found.owner.isEmpty || !found.alternateOwner.isEmpty { isOwned = true }
      } catch let error as EngineError where error.code == .doesNotExist || error.code == .coolingDown {
        continue
      } catch let error as EngineError {
        throw CalicoFailure(error, prefix: "failed to verify owner attributes after cleanup for IP \(address): ")
      }
    }
    guard machine.isBeingDeleted, !isOwned else { return }
    let result = try await runner.run(ReleaseByHandle([handleID], time: surroundings.now()), deadline: deadline)
    remember(result.freed)
  }

  /// Takes this pod off one address, on whichever side it is.
  private func leave(
    _ address: IPAddress, _ handleID: String, _ workload: Workload, _ deadline: Deadline, _ runner: Runner
  ) async throws {
    let found: AttributesOfAddress.Result
    do {
      found = try await runner.run(AttributesOfAddress(address, time: surroundings.now()), deadline: deadline)
    } catch let error as EngineError {
      return log.warning("cannot read the owners of \(address), which is left as it is: \(error)")
    }
    let pod = SetOwnerAttributes.Pod(namespace: workload.arguments.podNamespace, name: workload.arguments.podName)
    func isPod(_ attributes: [String: String]) -> Bool {
      attributes["pod"] == pod.name && attributes["namespace"] == pod.namespace
    }
    let nobody = SetOwnerAttributes.Side([:], if: .isOwned(by: pod))
    let isActive = isPod(found.owner)
    guard isActive || isPod(found.alternateOwner) else { return }
    let change = SetOwnerAttributes(
      address, handleID: handleID, owner: isActive ? nobody : nil, alternateOwner: isActive ? nil : nobody,
      time: surroundings.now())
    try await runner.run(change, deadline: deadline)
  }
}
