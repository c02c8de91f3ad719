import CalicoModel
import Datastore
import IPAddressing
import SQLiteDatastore
import Terminal

/// What `ipam check` finds and prints, in calicoctl's words and order (calicoctl specification, section 3.3).
///
/// There is no Kubernetes beside the embedded datastore: it holds neither services nor workload endpoints, and says so.
/// An address is in use when a node's tunnel has it, when it is recorded for an attachment of this host that is not proven
/// dead, or when a network namespace of this host has it. Of an address that nothing is recorded of it cannot be told;
/// such addresses are counted apart and are no problem.
struct IntegrityReport {
  /// Which lines are wanted besides the counts.
  struct Detail {
    var showsAll = false
    var showsProblems = false
  }

  private let inventory: Inventory
  private let survey: AttachmentSurvey
  private let time: Timestamp
  private let detail: Detail
  private var transcript = Transcript()
  /// Who uses each address.
  private var owners: [IPAddress: [String]] = [:]
  private var problems = 0

  init(_ inventory: Inventory, _ survey: AttachmentSurvey, at time: Timestamp, _ detail: Detail) {
    self.inventory = inventory
    self.survey = survey
    self.time = time
    self.detail = detail
  }

  /// Checks everything.
  static func transcript(
    _ inventory: Inventory, _ survey: AttachmentSurvey, at time: Timestamp, _ detail: Detail
  ) -> Transcript {
    var report = IntegrityReport(inventory, survey, at: time, detail)
    report.transcript.line("Checking IPAM for inconsistencies...")
    report.transcript.line()
    report.loadBlocks()
    report.loadPools()
    report.loadOwners()
    report.rankNodes()
    report.scanAllocations()
    report.scanOwners()
    report.scanHandles()
    report.validateBlocks()
    report.transcript.line("Check complete; found \(report.problems) problems.")
    for warning in survey.warnings { report.transcript.warning(warning) }
    return report.transcript
  }

  private mutating func all(_ line: String) {
    if detail.showsAll { transcript.line(line) }
  }

  private mutating func problem(_ line: String) {
    if detail.showsAll || detail.showsProblems { transcript.line(line) }
  }

  // MARK: Loading

  private mutating func loadBlocks() {
    transcript.line("Loading all IPAM blocks...")
    transcript.line("Found \(inventory.blocks.count + inventory.unreadableBlocks.count) IPAM blocks.")
    var count = 0
    for block in inventory.blocks {
      transcript.line(" IPAM block \(block.cidr) affinity=\(PrintableText.of(block.affinity ?? "<none>")):")
      for allocation in inventory.allocations[block.cidr] ?? [] {
        count += 1
        if allocation.attribute?.isWindowsReservation == true {
          own(allocation.address, "Reserved for Windows")
        }
        all("  \(allocation.address) allocated; attrs \(allocation.attributeText)")
      }
    }
    transcript.line("IPAM blocks record \(count) allocations.")
    transcript.line()
  }

  private mutating func loadPools() {
    transcript.line("Loading all IPAM pools...")
    for pool in inventory.activePools { transcript.line("  \(pool.written)") }
    transcript.line("Found \(inventory.activePools.count) active IP pools.")
    transcript.line()
  }

  private mutating func loadOwners() {
    transcript.line("Loading all nodes.")
    for tunnel in inventory.tunnels { own(tunnel.address, "Node(\(tunnel.node))") }
    transcript.line("Found \(inventory.tunnels.count) node tunnel IPs.")
    transcript.line()
    transcript.line("Loading all service load balancer IPs.")
    transcript.line("This datastore holds no services, skipping service check")
    transcript.line()
    transcript.line("Loading all workload endpoints.")
    transcript.line("This datastore holds no workload endpoints, using the attachments recorded on this host")
    transcript.line("Found \(loadAttachments()) workload IPs.")
    transcript.line("Workloads and nodes are using \(owners.count) IPs.")
    transcript.line()
  }

  /// Takes in who has addresses on this host, and counts those addresses.
  private mutating func loadAttachments() -> Int {
    var count = 0
    for allocation in inventory.allAllocations where allocation.isInUse {
      if let handle = allocation.attribute?.sanitizedHandleID, let verdict = survey.verdicts[handle] {
        guard verdict.liveness != .dead, let record = survey.evidence[handle]?.first else { continue }
        own(allocation.address, "Workload(\(PrintableText.of("\(record.network)/\(record.containerID)")))")
        count += 1
      } else if owners[allocation.address] == nil, let holder = survey.host.namespaces.holders[allocation.address] {
        own(allocation.address, "Workload(\(holder))")
        count += 1
      }
    }
    return count
  }

  private mutating func own(_ address: IPAddress, _ owner: String) {
    owners[address, default: []].append(owner)
    all("  \(address) belongs to \(owner)")
  }

  private mutating func rankNodes() {
    transcript.line("Loading all handles")
    transcript.line("Looking for top (up to 20) nodes by allocations...")
    let counts = Dictionary(grouping: inventory.allAllocations, by: \.node).mapValues(\.count)
    let ranking = counts.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }
    for (node, count) in ranking.prefix(20) { transcript.line("  \(PrintableText.of(node)) has \(count) allocations") }
    if let most = ranking.first {
      let median = ranking[ranking.count / 2].value
      transcript.line("Node with most allocations has \(most.value); median is \(median)")
    }
    transcript.line()
  }

  // MARK: Comparing

  private mutating func scanAllocations() {
    transcript.line("Scanning for IPs that are allocated but not actually in use...")
    var leaked = 0
    var unrecorded: [Inventory.Allocation] = []
    for allocation in inventory.allAllocations.sorted(by: { $0.address < $1.address }) {
      guard allocation.attribute?.releasedAt == nil, owners[allocation.address] == nil else { continue }
      guard let handle = allocation.attribute?.sanitizedHandleID, survey.verdicts[handle] != nil else {
        unrecorded.append(allocation)
        continue
      }
      leaked += 1
      problem("  \(allocation.address) leaked; attrs \(allocation.attributeText)")
    }
    transcript.line("Found \(leaked) IPs that are allocated in IPAM but not actually in use.")
    problems += leaked
    guard !unrecorded.isEmpty else { return }
    for allocation in unrecorded {
      problem("  \(allocation.address) is not recorded on this host; attrs \(allocation.attributeText)")
    }
    transcript.line(
      "Found \(unrecorded.count) IPs that are allocated in IPAM and not recorded on this host; whether they are in use "
        + "cannot be told.")
  }

  private mutating func scanOwners() {
    transcript.line("Scanning for IPs that are in use by a workload or node but not allocated in IPAM...")
    let allocated = Set(inventory.allAllocations.map(\.address))
    var outside = 0
    var missing = 0
    for address in owners.keys.sorted() {
      let owners = owners[address] ?? []
      if owners.count > 1 { problem("  \(address) has multiple owners.") }
      if !inventory.isInActivePool(address) {
        outside += 1
        for owner in owners { problem("  \(address) in use by \(owner) is not in any active IP pool.") }
      } else if !allocated.contains(address) {
        missing += 1
        for owner in owners {
          problem("  \(address) in use by \(owner) and in active IPAM pool but has no IPAM allocation.")
        }
      }
    }
    transcript.line("Found \(outside) in-use IPs that are not in active IP pools.")
    transcript.line(
      "Found \(missing) in-use IPs that are in active IP pools but have no corresponding IPAM allocation.")
    transcript.line()
    problems += outside + missing
  }

  private mutating func scanHandles() {
    transcript.line("Scanning for IPAM handles with no matching IPs...")
    var mentioned: Set<String> = []
    for allocation in inventory.allAllocations where allocation.attribute?.isWindowsReservation == false {
      if let handle = allocation.attribute?.sanitizedHandleID { mentioned.insert(handle) }
    }
    let stored = Set(inventory.handles)
    let unmatched = stored.subtracting(mentioned)
    for handle in unmatched.sorted() { all("  \(PrintableText.of(handle)) doesn't have any active IPs.") }
    let matched = stored.count - unmatched.count
    transcript.line("Found \(unmatched.count) handles with no matching IPs (and \(matched) handles with matches).")
    problems += unmatched.count
    transcript.line("Scanning for IPs with missing handle...")
    let missing = mentioned.subtracting(stored)
    for handle in missing.sorted() {
      problem("  \(PrintableText.of(handle)) is in use in a block but doesn't exist.")
    }
    transcript.line("Found \(missing.count) handles mentioned in blocks with no matching handle resource.")
  }

  private mutating func validateBlocks() {
    transcript.line("Validating IPAMBlock structures...")
    var invalid = inventory.unreadableBlocks.map { ($0.cidr, $0.reason) }
    for block in inventory.blocks {
      if let reason = block.invalidity(at: time) { invalid.append((block.cidr, reason)) }
    }
    for (cidr, reason) in invalid { transcript.line("  IPAMBlock \(Key.block(cidr)) is invalid: \(reason)") }
    transcript.line("Found \(invalid.count) invalid IPAMBlocks.")
    problems += invalid.count
  }
}

extension Inventory.Allocation {
  /// The attributes as they are printed.
  var attributeText: String { attribute?.text ?? "<missing>" }

  /// Whether it is given out, and does not cool down or serve a Windows host.
  var isInUse: Bool { attribute.map { $0.releasedAt == nil && !$0.isWindowsReservation } ?? true }
}
