public import CalicoEngine
public import IPAddressing

/// One decision of a call, with the values that decided it: the front-end's, and those of the engine's operations that
/// follow from it.
public enum CallDecision: Sendable {
  /// What is asked for, and who says so.
  case wishes(Wishes)
  /// The pod runs a virtual machine, which has these addresses already and keeps them.
  case keeps([IPAddress], handleID: String)
  /// What one operation of the engine decided, in order.
  case operation([Decision])
}
