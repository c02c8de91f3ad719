import IPAddressing
import IntegrityCheck
import SQLiteDatastore
import Terminal

// This host.

extension AddressUsers {
  func reportHost(
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
}
