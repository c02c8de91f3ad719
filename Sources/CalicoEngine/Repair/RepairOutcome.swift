/// What became of one repair.
public enum RepairOutcome: Hashable, Sendable {
  /// It was made.
  case repaired
  /// There is nothing to repair.
  case sound
  /// What was found before is not there any more, or somebody else was at work: nothing was changed.
  case changed
}
