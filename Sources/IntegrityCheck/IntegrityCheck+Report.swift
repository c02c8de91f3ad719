import CalicoModel
public import IPAddressing
import Terminal

// What was found, in calicoctl's words and order; what calicoctl does not look at follows where there is anything.

extension IntegrityCheck {
  /// Looks again at what did not fit, and prints what was found.
  ///
  /// - Parameters:
  ///   - knowledge: whose addresses are known.
  ///   - isStillUsed: whether somebody who was told to use an address does so now.
  /// - Returns: what was found.
  /// - Throws: `DatastoreError` when the store cannot be read.
  public mutating func conclude(
    _ knowledge: UserKnowledge, isStillUsed: (IPAddress, User) async throws -> Bool = { _, _ in true }
  ) async throws -> Findings {
    var findings = Findings()
    rankNodes()
    (findings.faults, findings.unsettledCount) = try await confirm()
    try await scanAllocations(knowledge, &findings)
    try await scanUsers(&findings, isStillUsed)
    scanHandles(&findings)
    validateBlocks(&findings)
    tellFurther(&findings)
    line("Check complete; found \(findings.problems) problems.")
    return findings
  }

  private func rankNodes() {
    line("Loading all handles")
    line("Looking for top (up to 20) nodes by allocations...")
    var counts = [Int](repeating: 0, count: allocations.nodes.count)
    for node in allocations.nodeIndices { counts[Int(node)] += 1 }
    let ranking = zip(allocations.nodes.names, counts).sorted { $0.1 == $1.1 ? $0.0 < $1.0 : $0.1 > $1.1 }
    for (node, count) in ranking.prefix(20) { line("  \(PrintableText.of(node)) has \(count) allocations") }
    if let most = ranking.first {
      line("Node with most allocations has \(most.1); median is \(ranking[ranking.count / 2].1)")
    }
    line()
  }

  private func scanAllocations(_ knowledge: UserKnowledge, _ findings: inout Findings) async throws {
    line("Scanning for IPs that are allocated but not actually in use...")
    let known = knowledge.handles.map { wanted in handles.names.names.map { wanted.contains($0) } }
    var suspects: [Int] = []
    var unknown: [Int] = []
    for (index, traits) in allocations.traits.enumerated() where traits.isDisjoint(with: [.cools, .isUsed]) {
      let handle = allocations.handles[index]
      let isKnown = known.map { handle >= 0 && $0[Int(handle)] } ?? true
      if isKnown { suspects.append(index) } else { unknown.append(index) }
    }
    if !suspects.isEmpty { try await Task.sleep(for: options.pause) }
    findings.leaks = try await leaks(suspects)
    findings.unknownCount = unknown.count
    findings.unowned = try await leaks((suspects + unknown).filter { allocations.traits[$0].contains(.isUnowned) })
    for leak in findings.leaks { problem("  \(leak.address) leaked; attrs \(leak.attributeText)") }
    line("Found \(findings.leaks.count) IPs that are allocated in IPAM but not actually in use.")
    findings.problems += findings.leaks.count
    guard !unknown.isEmpty else { return }
    if options.showsAll || options.showsProblems {
      for leak in try await leaks(unknown) {
        line("  \(leak.address) is \(knowledge.ignorance); attrs \(leak.attributeText)")
      }
    }
    line(
      "Found \(unknown.count) IPs that are allocated in IPAM and \(knowledge.ignorance); whether they are in use "
        + "cannot be told.")
  }

  private func scanUsers(
    _ findings: inout Findings, _ isStillUsed: (IPAddress, User) async throws -> Bool
  ) async throws {
    line("Scanning for IPs that are in use by a workload or node but not allocated in IPAM...")
    let inPools = strays.keys.filter { allocations.index(of: $0) == nil && isInActivePool($0) }
    let unallocated = try await unallocated(inPools.sorted(), isStillUsed: isStillUsed)
    var outside = 0
    for address in (Set(strays.keys).union(sharedAddresses)).sorted() {
      let users = strays[address] ?? []
      let isShared = users.count > 1 || sharedAddresses.contains(address)
      if isShared { problem("  \(address) has multiple owners.") }
      if !isInActivePool(address) {
        outside += 1
        for user in users { problem("  \(address) in use by \(printable(user)) is not in any active IP pool.") }
      } else if unallocated.contains(address) {
        for user in users {
          problem("  \(address) in use by \(printable(user)) and in active IPAM pool but has no IPAM allocation.")
        }
      }
    }
    line("Found \(outside) in-use IPs that are not in active IP pools.")
    line("Found \(unallocated.count) in-use IPs that are in active IP pools but have no corresponding IPAM allocation.")
    line()
    findings.problems += outside + unallocated.count
  }

  private func printable(_ user: User) -> String { PrintableText.of(user.text) }

  /// Addresses that are given out once and used by more than one.
  private var sharedAddresses: Set<IPAddress> {
    var shared: Set<IPAddress> = []
    for block in allocations.blocks {
      for index in block.range where allocations.traits[index].contains(.isUsedTwice) {
        shared.insert(allocations.address(index, in: block))
      }
    }
    return shared
  }

  private func scanHandles(_ findings: inout Findings) {
    line("Scanning for IPAM handles with no matching IPs...")
    var unmatched: [String] = []
    var missing: [String] = []
    for case .handle(let name, let handle) in findings.faults.map(\.subject) {
      if handle.counted == nil { missing.append(name) } else if handle.held == 0 { unmatched.append(name) }
    }
    for name in unmatched.sorted() { all("  \(PrintableText.of(name)) doesn't have any active IPs.") }
    let matched = max(0, handles.storedCount - unmatched.count)
    line("Found \(unmatched.count) handles with no matching IPs (and \(matched) handles with matches).")
    line("Scanning for IPs with missing handle...")
    for name in missing.sorted() { problem("  \(PrintableText.of(name)) is in use in a block but doesn't exist.") }
    line("Found \(missing.count) handles mentioned in blocks with no matching handle resource.")
    findings.problems += unmatched.count + missing.count
  }

  private func validateBlocks(_ findings: inout Findings) {
    line("Validating IPAMBlock structures...")
    var count = 0
    for fault in findings.faults {
      guard case .block(let cidr, _) = fault.subject else { continue }
      count += 1
      line("  IPAMBlock \(Key.block(cidr)) is invalid: \(fault.text)")
    }
    line("Found \(count) invalid IPAMBlocks.")
    findings.problems += count
  }

  /// What calicoctl does not look at: nothing is said where there is nothing.
  private func tellFurther(_ findings: inout Findings) {
    var further: [(title: String, faults: [Fault])] = [
      ("handles that count other IPs than they have", []), ("affinities that do not fit their blocks", []),
      ("empty blocks that belong to nobody", []), ("entries whose deletion is not finished", []),
      ("entries that cannot be read", []),
    ]
    var missing: [Fault] = []
    for fault in findings.faults {
      switch fault.subject {
      case .handle(_, let handle) where handle.counted != nil && handle.held > 0: further[0].faults.append(fault)
      case .openAffinity where fault.revision == nil: missing.append(fault)
      case .staleAffinity, .openAffinity: further[1].faults.append(fault)
      case .emptyBlock: further[2].faults.append(fault)
      case .remains: further[3].faults.append(fault)
      case .unreadable: further[4].faults.append(fault)
      case .block, .handle: continue
      }
    }
    for (title, faults) in further where !faults.isEmpty {
      for fault in faults { problem("  \(PrintableText.of(fault.name)): \(PrintableText.of(fault.text))") }
      line("Found \(faults.count) \(title).")
      findings.problems += faults.count
    }
    if !missing.isEmpty {
      // No problem of its own: the owner makes it with its next request (Calico IPAM specification, section 6.2, W14).
      for fault in missing { problem("  \(PrintableText.of(fault.name)): \(PrintableText.of(fault.text))") }
      line("Found \(missing.count) blocks whose owners have no affinity to them, and will make it when they need one.")
    }
    if findings.unsettledCount > 0 {
      line("\(findings.unsettledCount) entries were being changed whenever they were looked at; check again.")
    }
  }
}
