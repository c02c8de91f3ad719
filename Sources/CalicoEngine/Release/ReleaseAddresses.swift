public import CalicoModel
import Datastore
public import IPAddressing

/// Gives addresses back one by one, each on its own condition (Calico IPAM specification, section 3.10).
public struct ReleaseAddresses: Operation {
  /// What was done.
  public struct Result: Sendable {
    /// Addresses that were not given out, or lie in no block.
    public var unallocated: [IPAddress] = []
    /// What was released, and what needed no release, of every block in which nothing failed.
    public var released: [ReleaseOption] = []
    /// Why nothing was released in a block; the first such reason.
    public var error: EngineError?
    /// The blocks in which addresses became free, with their owners.
    public var freed: [CIDR: BlockOwner?] = [:]
  }

  /// How many blocks one commit changes at most.
  private static var blocksPerCommit: Int { 16 }

  private let options: [ReleaseOption]
  private let time: Timestamp
  private var result = Result()
  private var groups: [(cidr: CIDR, options: [ReleaseOption])]?
  private var planned: [CIDR: (unallocated: [IPAddress], options: [ReleaseOption], owner: BlockOwner?)] = [:]
  private var doubtful: Set<CIDR> = []

  /// The operation.
  ///
  /// - Parameters:
  ///   - options: the addresses and their conditions.
  ///   - time: now.
  public init(_ options: [ReleaseOption], time: Timestamp) {
    self.options = options.map { option in
      var option = option
      option.handleID = option.handleID.map(AllocationAttribute.sanitized)
      return option
    }
    self.time = time
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<Result> {
    if groups == nil { groups = try grouped(&planner) }
    let cooldown = try planner.configuration().cooldownSeconds
    let batch = (groups ?? []).prefix(Self.blocksPerCommit)
    try planner.require(batch.map { .entry(.block($0.cidr)) })
    var draft = Draft()
    draft.releases = true
    planned = [:]
    var counts: [HandleCount] = []
    for (cidr, options) in batch {
      guard var block = try planner.workingBlock(cidr, in: &draft, time: time, cooldown: cooldown) else {
        finish(cidr, options, unallocated: options.map(\.address))
        continue
      }
      let outcome: ReleaseOutcome
      do {
        outcome = try block.release(options, time: time, cooldown: cooldown)
      } catch {
        fail(cidr, error)
        continue
      }
      guard !outcome.released.isEmpty else {
        finish(cidr, options, unallocated: outcome.unallocated)
        continue
      }
      draft.update(block)
      if block.isEmpty, block.affinity == nil { draft.blocks[cidr]?.isDeleted = true }
      counts += outcome.countByHandle.map { HandleCount(handleID: $0.key, block: cidr, count: $0.value) }
      planned[cidr] = (outcome.unallocated, options, block.owner)
    }
    try planner.require(Set(counts.map(\.handleID)).sorted().map { .entry(.handle($0)) })
    for count in counts {
      try planner.countOut(count.count, of: count.block, from: count.handleID, in: &draft)
    }
    for cidr in planned.keys.sorted(by: { $0.address < $1.address }) {
      try planner.ensureConsistentAffinity(cidr, in: &draft)
    }
    if !draft.isEmpty { return .commit(draft) }
    return groups?.isEmpty ?? true ? .done(result) : try plan(&planner)
  }

  public mutating func settle(_ settlement: Settlement) {
    for cidr in planned.keys.sorted(by: { $0.address < $1.address }) {
      guard let work = planned[cidr] else { continue }
      if settlement.applied.contains(.block(cidr)) {
        result.freed[cidr] = .some(work.owner)
        finish(cidr, work.options, unallocated: work.unallocated)
      } else if settlement.isInDoubt {
        doubtful.insert(cidr)
      }
    }
    planned = [:]
  }

  private mutating func finish(_ cidr: CIDR, _ options: [ReleaseOption], unallocated: [IPAddress]) {
    groups?.removeAll { $0.cidr == cidr }
    // What is found free after a commit whose answer was lost was freed by that commit.
    if !doubtful.contains(cidr) { result.unallocated += unallocated }
    result.released += options
  }

  private mutating func fail(_ cidr: CIDR, _ conflict: ReleaseConflict) {
    groups?.removeAll { $0.cidr == cidr }
    let identifier: String
    let advice: String
    switch conflict {
    case .outsideBlock(let address):
      identifier = address.description
      advice = "IP \(address) not in block \(cidr)"
    case .sequenceNumber(let address, let requested, let expected):
      identifier = address.description
      advice =
        "the given sequence number (\(requested)) does not match (\(expected)) when attempting to release IP: "
        + "the address was given out again since"
    case .handle(let address, let requested, let expected):
      identifier = address.description
      advice = "the given handle (\(requested)) does not match (\(expected)) when attempting to release IP"
    }
    let error = EngineError(.conflict, "update conflict: \(identifier)", advice: advice)
    result.error = result.error ?? error
  }

  /// The options by block, in the order of blocks.
  private mutating func grouped(
    _ planner: inout Planner
  ) throws(Halt) -> [(cidr: CIDR, options: [ReleaseOption])] {
    try planner.require([.entry(.configuration), .list(Planner.allPools)])
    let pools = try planner.pools()
    var byBlock: [CIDR: [ReleaseOption]] = [:]
    var outside: [ReleaseOption] = []
    for option in options {
      if let block = pools.lazy.compactMap({ $0.block(containing: option.address) }).first {
        byBlock[block, default: []].append(option)
      } else {
        outside.append(option)
      }
    }
    if !outside.isEmpty {
      let lists = [Listing(.blocks(.v4), .keys), Listing(.blocks(.v6), .keys)]
      try planner.require(lists.map { .list($0) })
      let blocks = try planner.keys(lists[0]).union(planner.keys(lists[1]))
      var homeless: [IPAddress] = []
      for option in outside {
        if let block = blocks.first(where: { $0.contains(option.address) }) {
          byBlock[block, default: []].append(option)
        } else {
          homeless.append(option.address)
        }
      }
      result.unallocated = homeless
    }
    return byBlock.keys.sorted { $0.address < $1.address }.map { ($0, byBlock[$0] ?? []) }
  }
}
