import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import IntegrityCheck
import KubernetesWorkloads
import SQLiteDatastore
import Terminal

/// Where it can be found out who uses addresses, and whether nobody uses one any more.
enum AddressUsers {
  /// This host: what calico-ipam recorded of its containers, and what is in its network namespaces.
  case host(HostRoots)
  /// The pods and services of a cluster, and whether its names of nodes are those of the datastore.
  case cluster(KubernetesWorkloads, namesNodesAlike: Bool)
  /// Nobody can be asked.
  case unknown(store: String)

  /// Whether nobody needs an address any more, and how that is known.
  enum Proof: Hashable {
    case dead(String)
    /// Somebody has it, or may have it.
    case doubtful(String)
  }

  /// How long one request may take, in milliseconds.
  static let patience: UInt64 = 30_000

  /// Tells a check who uses addresses.
  ///
  /// - Parameters:
  ///   - check: the check, which has read entries, pools and nodes.
  ///   - session: the datastore.
  /// - Returns: whose addresses are known; and what is to be said about the look on stderr.
  /// - Throws: what the datastore or the cluster says when it cannot be asked.
  func report(
    to check: inout IntegrityCheck, _ session: Session
  ) async throws -> (knowledge: UserKnowledge, warnings: [String]) {
    switch self {
    case .host(let roots): return try await reportHost(to: &check, session, roots)
    case .cluster(let workloads, _): return try await reportCluster(to: &check, workloads)
    case .unknown(let store):
      check.say("Loading all service load balancer IPs.")
      check.say("No Kubernetes API is named for \(store), skipping service check")
      check.say()
      check.say("Loading all workload endpoints.")
      check.say("No Kubernetes API is named for \(store), so that no pods are known")
      check.say("Found 0 workload IPs.")
      sum(check)
      let hint = "note: name the cluster's kubeconfig in KUBECONFIG to have its pods and services looked at"
      return (UserKnowledge(handles: [], ignorance: "of no node's tunnel"), [hint])
    }
  }

  private func sum(_ check: IntegrityCheck) {
    check.say("Workloads and nodes are using \(check.usedCount) IPs.")
    check.say()
  }

  // MARK: This host

  private func reportHost(
    to check: inout IntegrityCheck, _ session: Session, _ roots: HostRoots
  ) async throws -> (knowledge: UserKnowledge, warnings: [String]) {
    check.say("Loading all service load balancer IPs.")
    check.say("This datastore holds no services, skipping service check")
    check.say()
    check.say("Loading all workload endpoints.")
    check.say("This datastore holds no workload endpoints, using the attachments recorded on this host")
    let evidence = try await session.store.evidence(deadline: session.deadline)
    let addresses = check.addresses(ofHandles: Set(evidence.map(\.handle)))
    let survey = AttachmentSurvey(evidence, addresses: addresses, roots: roots)
    var count = 0
    for handle in addresses.keys.sorted() {
      guard let verdict = survey.verdicts[handle], verdict.liveness != .dead,
        let record = survey.evidence[handle]?.first
      else { continue }
      for address in addresses[handle] ?? [] {
        let text = PrintableText.of("\(record.network)/\(record.containerID)")
        check.use(address, by: IntegrityCheck.User("Workload(\(text))"))
        count += 1
      }
    }
    let recorded = Set(addresses.values.joined())
    for (address, holder) in survey.host.namespaces.holders.sorted(by: { $0.key < $1.key }) {
      guard !recorded.contains(address), check.isGivenOut(address), !check.isUsed(address) else { continue }
      check.use(address, by: IntegrityCheck.User("Workload(\(holder))"))
      count += 1
    }
    check.say("Found \(count) workload IPs.")
    sum(check)
    let known = Set(survey.verdicts.keys)
    return (UserKnowledge(handles: known, ignorance: "not recorded on this host"), survey.warnings)
  }

  // MARK: A cluster

  private func reportCluster(
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
    var count = 0
    try await workloads.forEachPod(millisecondsPerPage: Self.patience) { pod in
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

  /// Whether somebody who was told to use an address does so now.
  func isStillUsing(_ address: IPAddress, _ user: IntegrityCheck.User) async throws -> Bool {
    guard case .cluster(let workloads, _) = self, let pod = user.pod, let slash = pod.firstIndex(of: "/") else {
      return true
    }
    let name = String(pod[pod.index(after: slash)...])
    let found = try await workloads.use(
      ofPod: name, namespace: String(pod[..<slash]), deadline: .after(milliseconds: Self.patience))
    return found?.addresses.contains(address) ?? false
  }

  // MARK: Proof

  /// Whether nobody needs an address any more, as can be seen now.
  ///
  /// - Parameters:
  ///   - leak: the address.
  ///   - all: all addresses of its handle.
  ///   - session: the datastore.
  /// - Returns: the proof; that nobody can tell is none.
  /// - Throws: `DatastoreError` when the datastore cannot be read.
  func proof(_ leak: Leak, all: [IPAddress], _ session: Session) async throws -> Proof {
    switch self {
    case .unknown: return .doubtful("nobody can be asked")
    case .host(let roots):
      let evidence = try await session.store.evidence(deadline: session.deadline)
      let own = evidence.filter { $0.handle == leak.handleID }
      let survey = AttachmentSurvey(own, addresses: [leak.handleID ?? "": all], roots: roots)
      guard let verdict = survey.verdicts[leak.handleID ?? ""] else {
        return .doubtful("nothing is recorded of its container")
      }
      return verdict.liveness == .dead ? .dead(verdict.reason) : .doubtful(verdict.reason)
    case .cluster(let workloads, let namesNodesAlike):
      do throws(CalicoFailure) {
        return try await Self.proof(leak, workloads, namesNodesAlike)
      } catch {
        return .doubtful(error.message)
      }
    }
  }

  /// Whether an address nobody uses is that of a pod, a virtual machine or a node that is gone (front-end specification,
  /// section 5.4).
  private static func proof(
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
