import CalicoModel
import IPAddressing

/// The decisions of one operation, each once.
///
/// An operation plans from the beginning whenever it knows more, and comes to the same decisions again.
struct DecisionTrace: Sendable {
  private(set) var decisions: [Decision] = []
  /// Hash values, because a set of decisions would cost the plugins kilobytes of code that they never run.
  private var known: Set<Int> = []

  mutating func note(_ decision: Decision) {
    guard known.insert(decision.hashValue).inserted || !decisions.contains(decision) else { return }
    decisions.append(decision)
  }
}

extension Planner {
  /// Whether decisions are recorded: what is looked at only to tell of it need not be otherwise.
  var isTraced: Bool { trace != nil }

  // What is not recorded must cost nothing: these are never part of the code around them, and make a value of a decision
  // only when somebody wants it.

  /// Records a decision, when that was asked for.
  @inline(never)
  mutating func note(_ decision: @autoclosure () -> Decision) {
    if isTraced { trace?.note(decision()) }
  }

  /// Records what is decided of a pool.
  @inline(never)
  mutating func note(_ pool: IPPool, for family: AddressFamily, _ obstacle: @autoclosure () -> PoolObstacle?) {
    if isTraced { trace?.note(.pool(ConsideredPool(pool, for: family), obstacle())) }
  }

  /// Records what becomes of a block.
  @inline(never)
  mutating func note(
    _ cidr: CIDR, _ fate: @autoclosure () -> BlockFate, _ block: IPAMBlock? = nil, _ scope: SearchScope
  ) {
    if isTraced { trace?.note(.block(cidr, fate(), block.map { scope.tally($0) })) }
  }
}
