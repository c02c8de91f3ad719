import CalicoBackend
import CalicoEngine
import CalicoModel
import IPAddressing

extension Explanation {
  /// What to change so that the ADD succeeds, what helps most first; nothing when it would succeed.
  public var remedies: [Remedy] {
    guard case .refused(let failure) = outcome else { return [] }
    var remedies: [Remedy] = []
    for remedy in specificRemedies where !remedies.contains(remedy) { remedies.append(remedy) }
    if remedies.isEmpty, !failure.details.isEmpty { remedies = [Remedy(failure.details.trimmingEnd)] }
    if !knownNodes.isEmpty, !knownNodes.contains(question.node) {
      let names = knownNodes.prefix(8).joined(separator: ", ") + (knownNodes.count > 8 ? ", …" : "")
      remedies.append(Remedy("or name one of the nodes that there are: \(names)"))
    }
    return remedies
  }

  private var specificRemedies: [Remedy] {
    if let wishes, !wishes.addresses.isEmpty { return remediesForAddresses }
    return shortFamilies.flatMap { family in
      let usable = pools.filter { $0.pool.family == family && $0.obstacle == nil }
      return usable.isEmpty ? remediesWithoutPool(family) : remediesForRoom(family, usable) + poolRemedies(family)
    }
  }

  /// The families that were tried and for which there is no address.
  private var shortFamilies: [AddressFamily] {
    [AddressFamily.v4, .v6].filter { family in
      let isTried = pools.contains { $0.pool.family == family } || wants(family)
      let isGiven = decisions.contains { decision in
        if case .gives(let addresses, _, _) = decision { addresses.contains { $0.family == family } } else { false }
      }
      return isTried && !isGiven
    }
  }

  private func wants(_ family: AddressFamily) -> Bool {
    guard let wishes else { return false }
    return family == .v4 ? wishes.assignsV4 : wishes.assignsV6
  }

  // MARK: - Pools

  private func remediesWithoutPool(_ family: AddressFamily) -> [Remedy] {
    // Without a look at pools something else was wrong before.
    guard pools.contains(where: { $0.pool.family == family }) || hasSearchedPools(family) else { return [] }
    return poolRemedies(family) + [newPool(family)]
  }

  /// Whether there is no pool at all.
  private func hasSearchedPools(_ family: AddressFamily) -> Bool {
    guard case .refused(let failure) = outcome else { return false }
    return failure.code == .noQualifiedPool
  }

  private func newPool(_ family: AddressFamily) -> Remedy {
    Remedy(
      "create an IPv\(family.rawValue) pool that node \(question.node) and \(question.namespacePhrase) may use",
      command: "ipamctl create -f POOL.yaml")
  }

  /// How each pool that was passed over could be used.
  private func poolRemedies(_ family: AddressFamily) -> [Remedy] {
    let asked = family == .v4 ? wishes?.poolsV4 ?? [] : wishes?.poolsV6 ?? []
    var remedies: [Remedy] = []
    let found = pools.filter { $0.pool.family == family }
    // What is asked for must be usable; nothing else would help.
    for finding in found where asked.isEmpty || finding.isNamed(in: asked) {
      guard let obstacle = finding.obstacle else { continue }
      if let remedy = remedy(obstacle, finding.pool.name, isAsked: !asked.isEmpty) { remedies.append(remedy) }
    }
    for case .requestedPoolMissing(let cidr) in decisions where cidr.address.family == family {
      if found.contains(where: { CIDR($0.pool.cidr)?.canonical == cidr }) { continue }
      remedies.append(Remedy("create pool \(cidr), or do not ask for it"))
    }
    let others = found.filter { $0.obstacle == .notRequested }.map(\.pool.name)
    if !others.isEmpty {
      remedies.append(Remedy("ask for other pools (\(others.joined(separator: ", "))), or for none by name"))
    }
    return remedies
  }

  private func remedy(_ obstacle: PoolObstacle, _ pool: String, isAsked: Bool) -> Remedy? {
    func patch(_ member: String) -> String { "ipamctl patch ippool \(pool) -p '{\"spec\":{\(member)}}'" }
    switch obstacle {
    case .unusable(.disabled): return Remedy("enable pool \(pool)", command: patch("\"disabled\":false"))
    case .unusable(.notAllocatable):
      return Remedy("see why pool \(pool) is not Allocatable", command: "ipamctl get ippool \(pool) -o yaml")
    case .unusable(.blockSize): return Remedy("make pool \(pool) anew with a blockSize that fits its CIDR")
    case .blocksTooSmall(let maximum): return Remedy("make pool \(pool) anew with a blockSize of \(maximum) or less")
    case .manual where !isAsked:
      return Remedy(
        "ask for pool \(pool) by an annotation of the pod or namespace, or in the CNI configuration; or let it be used "
          + "unasked", command: patch("\"assignmentMode\":\"Automatic\""))
    case .nodeSelector(let selector, _) where !isAsked:
      return Remedy(
        "label node \(question.node) so that \(selector) holds, or change nodeSelector of pool \(pool)",
        command: "ipamctl label node \(question.node) KEY=VALUE")
    case .namespaceSelector(let selector, _) where !isAsked:
      return Remedy(
        "label \(question.namespacePhrase) so that \(selector) holds, or change namespaceSelector of pool \(pool)")
    case .use(let use, let allowed):
      let uses = (allowed + [use]).map { "\"\($0.rawValue)\"" }.joined(separator: ",")
      return Remedy("allow pool \(pool) for \(use.rawValue)", command: patch("\"allowedUses\":[\(uses)]"))
    default: return nil
    }
  }

  // MARK: - Room

  private func remediesForRoom(_ family: AddressFamily, _ usable: [PoolFinding]) -> [Remedy] {
    let blocks = blocks.filter { $0.block.address.family == family }
    var remedies: [Remedy] = []
    for decision in decisions {
      switch decision {
      case .blockLimit(let limit) where limit.family == family && limit.isReached:
        remedies.append(raisedLimit(limit))
      case .claimsAreOff(family):
        remedies.append(
          Remedy("let nodes claim blocks: set autoAllocateBlocks of the IPAMConfiguration to true"))
      case .borrowingIsOff(family):
        let free = blocks.filter { $0.fates.contains(.others) }.reduce(0) { $0 + ($1.tally?.free ?? 0) }
        guard free > 0 else { continue }
        remedies.append(
          Remedy(
            "let nodes borrow from blocks of others, which have \(Self.counted(free, "free address", "free addresses"))",
            command: "ipamctl ipam configure --strictaffinity=false"))
      default: continue
      }
    }
    if let wait = wait(for: blocks) { remedies.append(wait) }
    let reserved = blocks.reduce(0) { $0 + ($1.tally?.reserved ?? 0) }
    if reserved > 0 {
      remedies.append(
        Remedy(
          "give up reservations, which keep \(Self.counted(reserved, "free address", "free addresses"))",
          command: "ipamctl get ipreservations"))
    }
    remedies.append(
      Remedy("release what containers left behind, if they did", command: "ipamctl ipam check --show-problem-ips"))
    let names = usable.map(\.pool.name).joined(separator: ", ")
    remedies.append(Remedy("create a further pool besides \(names)", command: "ipamctl create -f POOL.yaml"))
    return remedies
  }

  private func raisedLimit(_ limit: BlockLimit) -> Remedy {
    guard limit.isConfigured else {
      return Remedy(
        "give the node further blocks: \(limit.limit) is the limit where maxBlocksPerHost says nothing, and it says "
          + "something only with strictAffinity",
        command: "ipamctl ipam configure --strictaffinity=true --max-blocks-per-host=\(limit.limit * 2)")
    }
    return Remedy(
      "raise maxBlocksPerHost, which is \(limit.limit)",
      command: "ipamctl ipam configure --max-blocks-per-host=\(limit.limit + 1)")
  }

  /// What gets free by itself.
  private func wait(for blocks: [BlockFinding]) -> Remedy? {
    let cooling = blocks.compactMap(\.tally?.nextFree).min()
    let young = blocks.flatMap(\.fates).compactMap { fate -> Timestamp? in
      guard case .tooYoung(let claimed) = fate else { return nil }
      return claimed?.advanced(bySeconds: 60)
    }.min()
    if let cooling {
      let count = blocks.reduce(0) { $0 + ($1.tally?.cooling ?? 0) }
      let what = Self.counted(count, "address cools down", "addresses cool down")
      return Remedy("wait: \(what), the first until \(cooling) (\(seconds(until: cooling)) s)")
    }
    return young.map { Remedy("wait until \($0) (\(seconds(until: $0)) s): then an empty block can be taken over") }
  }

  private static func counted(_ count: Int, _ one: String, _ many: String) -> String {
    "\(count) \(count == 1 ? one : many)"
  }

  private func seconds(until moment: Timestamp) -> Int64 { max(0, moment.seconds - time.seconds) + 1 }

  // MARK: - Addresses that are asked for

  private var remediesForAddresses: [Remedy] {
    var remedies: [Remedy] = []
    for address in wishes?.addresses ?? [] where !pools.contains(where: { $0.contains(address) }) {
      let usable = pools.filter { $0.pool.family == address.family && $0.obstacle == .doesNotContain(address) }
      let ranges = usable.map(\.pool.cidr).joined(separator: ", ")
      let others = ranges.isEmpty ? "" : ", or ask for one of \(ranges)"
      remedies.append(Remedy("create a pool that contains \(address)\(others)"))
    }
    for decision in decisions {
      switch decision {
      case .addressIsTaken(let address, let holder): remedies.append(taken(address, holder))
      case .affinityForbids(let block, let owner):
        let place = owner.flatMap { BlockOwner($0)?.name }.map { "run the pod on node \($0), " } ?? ""
        remedies.append(
          Remedy(
            "\(place)ask for an address outside block \(block), or turn strictAffinity off",
            command: "ipamctl ipam configure --strictaffinity=false"))
      case .pool(let pool, let obstacle?):
        let finding = PoolFinding(pool: pool, obstacle: obstacle)
        guard wishes?.addresses.contains(where: finding.contains) ?? false,
          let remedy = remedy(obstacle, pool.name, isAsked: true)
        else { continue }
        remedies.append(remedy)
      case .handleIsFull(let handle, _, _, _): remedies.append(Remedy("release what handle \(handle) has"))
      default: continue
      }
    }
    return remedies
  }

  private func taken(_ address: IPAddress, _ holder: AddressHolder) -> Remedy {
    if let released = holder.releasedAt {
      let free = blocks.first { $0.block == holder.block }?.tally?.nextFree ?? released
      return Remedy("wait: \(address) was released at \(released) and cools down, at least until \(free)")
    }
    let attributes = holder.attributes
    var whom = "handle \(holder.handleID ?? "<none>")"
    if let pod = attributes["pod"] { whom = "pod \(attributes["namespace"] ?? "")/\(pod)" }
    if let node = attributes["node"] { whom += " on node \(node)" }
    return Remedy(
      "ask for another address: \(whom) has it; only if that is gone, release it",
      command: "ipamctl ipam release --ip=\(address)")
  }
}

extension Explanation.PoolFinding {
  /// Whether the pool's range has an address, whatever else is to be said of the pool.
  fileprivate func contains(_ address: IPAddress) -> Bool { CIDR(pool.cidr)?.canonical.contains(address) ?? false }

  /// Whether the pool is one of those that are asked for, by name or by network.
  fileprivate func isNamed(in names: [String]) -> Bool {
    names.contains(pool.name) || names.contains { CIDR($0).map { $0.canonical == CIDR(pool.cidr)?.canonical } ?? false }
  }
}
