/// What a source of routes tells.
public enum RouteSourceEvent: Sendable {
  /// Everything, listed anew: at the start, after a gap, and when ``RouteSource/refresh()`` asked for it.
  case snapshot(Topology)
  /// What changed since, to be taken over together.
  case changes([TopologyChange])
  /// Nothing can be learned for now, for this reason. What was told stays as it is; a snapshot or changes end the state.
  case interrupted(String)
  /// A malformed or contradictory object was left out; nil when what the name stands for is well again.
  case fault(object: String, reason: String?)
}

/// Where the agent learns which node has which addresses.
///
/// One source watches the datastore itself. Where thousands of agents would be too many watchers, a relay that passes
/// prefixes and their nodes on can take its place: the vocabulary has no blocks in it.
public protocol RouteSource: Sendable {
  /// Tells what there is, and then what changes, until the task is cancelled or `tell` returns false.
  ///
  /// It never ends for a failure: a source that cannot be reached is ``RouteSourceEvent/interrupted(_:)`` and tried
  /// again, with growing pauses.
  func run(_ tell: @escaping @Sendable (RouteSourceEvent) -> Bool) async

  /// Asks for a ``RouteSourceEvent/snapshot(_:)`` made from a fresh listing.
  func refresh()
}
