import CalicoBackend
import CalicoModel
import Datastore
import IPAddressing
import IntegrityCheck
import KubernetesWorkloads
import SQLiteDatastore

/// Where it can be found out who uses addresses, and whether nobody uses one any more.
enum AddressUsers {
  /// This host: what calico-ipam recorded of its containers, and what is in its network namespaces.
  case host(HostRoots)
  /// The pods and services of a cluster, and whether its names of nodes are those of the datastore.
  case cluster(KubernetesWorkloads, namesNodesAlike: Bool)
  /// Nobody can be asked; the datastore may hold workload endpoints.
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
    case .unknown(let store): return try await reportEndpoints(to: &check, session, store)
    }
  }

  func sum(_ check: IntegrityCheck) {
    check.say("Workloads and nodes are using \(check.usedCount) IPs.")
    check.say()
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
}
