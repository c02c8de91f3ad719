/// The decisions of one operation, each once.
///
/// An operation plans from the beginning whenever it knows more, and comes to the same decisions again.
struct DecisionTrace: Sendable {
  private(set) var decisions: [Decision] = []
  private var known: Set<Decision> = []

  mutating func note(_ decision: Decision) {
    if known.insert(decision).inserted { decisions.append(decision) }
  }
}

extension Planner {
  /// Whether decisions are recorded: what is looked at only to tell of it need not be otherwise.
  var isTraced: Bool { trace != nil }

  /// Records a decision, when that was asked for. Otherwise the decision is not even made into a value.
  @inline(__always)
  mutating func note(_ decision: @autoclosure () -> Decision) {
    if isTraced { trace?.note(decision()) }
  }
}
