public import CalicoBackend
public import CalicoEngine
public import CalicoModel
public import IPAddressing

/// What would become of an ADD, and why.
public struct Explanation: Sendable {
  public enum Outcome: Sendable {
    /// It would get these addresses, with the prefix length that the plugin reports.
    case assigned([CIDR])
    /// It would fail.
    case refused(CalicoFailure)
  }

  public let question: AssignmentQuestion
  /// The network's name.
  public let network: String
  /// When it was found out.
  public let time: Timestamp
  public let outcome: Outcome
  /// What is asked for; nil when the call did not come so far.
  public let wishes: Wishes?
  /// The virtual machine's addresses, which it keeps.
  public let kept: [IPAddress]
  /// What the engine decided, in order.
  public let decisions: [Decision]
  /// The entries that an ADD would write or delete.
  public internal(set) var writes: [Key] = []
  /// What else should be known.
  public internal(set) var notes: [String] = []
  /// The nodes that there are, when the one of the question is not.
  var knownNodes: [String] = []

  /// Whether it would get what it asks for.
  public var isAssigned: Bool {
    if case .assigned = outcome { true } else { false }
  }

  init(
    _ question: AssignmentQuestion, network: String, time: Timestamp, _ outcome: Outcome, _ calls: [CallDecision]
  ) {
    self.question = question
    self.network = network
    self.time = time
    self.outcome = outcome
    var wishes: Wishes?
    var kept: [IPAddress] = []
    var decisions: [Decision] = []
    var known: Set<Decision> = []
    for call in calls {
      switch call {
      case .wishes(let found): wishes = found
      case .keeps(let addresses, _): kept = addresses
      case .operation(let found): decisions += found.filter { known.insert($0).inserted }
      }
    }
    self.wishes = wishes
    self.kept = kept
    self.decisions = decisions
  }
}

// MARK: - Views of the decisions

extension Explanation {
  /// A pool with what became of it; the last word counts.
  public struct PoolFinding: Hashable, Sendable {
    public var pool: ConsideredPool
    /// Why it was passed over; nil when it can be used.
    public var obstacle: PoolObstacle?
  }

  /// A block with all that became of it, in order.
  public struct BlockFinding: Hashable, Sendable {
    public var block: CIDR
    public var fates: [BlockFate]
    /// What was in it when it was first looked at; nil when it was not.
    public var tally: BlockTally?
  }

  /// An address that an ADD would get.
  public struct AddressFinding: Hashable, Sendable {
    /// With the prefix length that the plugin reports.
    public var address: CIDR
    /// Nil for the address of a virtual machine, which it keeps.
    public var block: CIDR?
    /// The pool's name.
    public var pool: String?
    public var source: AddressSource?
  }

  /// The pools in the order in which they were looked at, for each family; of those of the other family none, unless
  /// there is no other.
  public var pools: [PoolFinding] {
    var order: [ConsideredPool] = []
    var obstacles: [ConsideredPool: PoolObstacle?] = [:]
    for case .pool(let pool, let obstacle) in decisions {
      if obstacles.updateValue(obstacle, forKey: pool) == nil { order.append(pool) }
    }
    return order.map { PoolFinding(pool: $0, obstacle: obstacles[$0] ?? nil) }
  }

  /// The blocks in the order in which they were looked at.
  public var blocks: [BlockFinding] {
    var findings: [BlockFinding] = []
    var places: [CIDR: Int] = [:]
    for case .block(let block, let fate, let tally) in decisions {
      if let place = places[block] {
        findings[place].fates.append(fate)
        findings[place].tally = findings[place].tally ?? tally
      } else {
        places[block] = findings.count
        findings.append(BlockFinding(block: block, fates: [fate], tally: tally))
      }
    }
    return findings
  }

  /// The addresses with where they come from; none when the ADD would fail.
  public var addresses: [AddressFinding] {
    guard case .assigned(let addresses) = outcome else { return [] }
    return addresses.map { address in
      var finding = AddressFinding(address: address)
      for case .gives(let given, let block, let source) in decisions where given.contains(address.address) {
        (finding.block, finding.source) = (block, source)
      }
      finding.pool = poolName(of: address.address)
      return finding
    }
  }

  /// The usable pool that an address lies in.
  private func poolName(of address: IPAddress) -> String? {
    pools.first { $0.obstacle == nil && CIDR($0.pool.cidr)?.canonical.contains(address) ?? false }?.pool.name
  }
}
