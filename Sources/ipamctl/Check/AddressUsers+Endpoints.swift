import CalicoModel
import Datastore
import IPAddressing
import IntegrityCheck
import Terminal

// The datastore alone.

extension AddressUsers {
  /// Whoever has no workload endpoint may be a container of another CNI plugin than Calico's, which writes none.
  func reportEndpoints(
    to check: inout IntegrityCheck, _ session: Session, _ store: String
  ) async throws -> (knowledge: UserKnowledge, warnings: [String]) {
    check.say("Loading all service load balancer IPs.")
    check.say("No Kubernetes API is named for \(store), skipping service check")
    check.say()
    check.say("Loading all workload endpoints.")
    check.say("No Kubernetes API is named for \(store), using the workload endpoints in it")
    var uses: [(address: IPAddress, user: IntegrityCheck.User)] = []
    var warnings = ["note: name the cluster's kubeconfig in KUBECONFIG to have its pods and services looked at"]
    do {
      try await session.store.forEachWorkloadEndpoint(millisecondsPerPage: Self.patience) { endpoint in
        let user = IntegrityCheck.User("Workload(\(PrintableText.of("\(endpoint.namespace)/\(endpoint.name)")))")
        uses += endpoint.addresses.map { ($0, user) }
      }
    } catch let error as DatastoreError where error.code == .forbidden {
      // Whoever looks after addresses need not be let at anything else.
      warnings.insert("warning: workload endpoints are not looked at: \(error.description)", at: 0)
    }
    for use in uses { check.use(use.address, by: use.user) }
    check.say("Found \(uses.count) workload IPs.")
    sum(check)
    return (UserKnowledge(handles: [], ignorance: "of no workload endpoint and no node's tunnel"), warnings)
  }
}
