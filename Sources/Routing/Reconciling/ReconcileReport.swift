/// What one pass did, and when the next one is due.
public struct ReconcileReport: Hashable, Sendable {
  /// How many changes the kernel made.
  public var changes = 0
  /// How many it refused.
  public var refusals = 0
  /// When to reconcile again if nothing happens before; nil: not at all.
  public var nextWake: Moment?
  /// Whether the source of routes is to be asked for everything anew, before removals are believed.
  public var wantsSnapshot = false
  /// What began to be wrong, or ended (nil).
  public var conditions: [Condition.Subject: Condition?] = [:]

  public init() {}
}

/// What a reconciler has done since it was made.
public struct ReconcileStatistics: Hashable, Sendable {
  public var passes: UInt64 = 0
  /// Full looks at the kernel's tables.
  public var resyncs: UInt64 = 0
  public var events: UInt64 = 0
  /// How often events were lost.
  public var overflows: UInt64 = 0
  /// Route messages sent.
  public var routeChanges: UInt64 = 0
  /// Changes that the kernel refused.
  public var refusals: UInt64 = 0
  /// Routes that somebody else removed or replaced.
  public var disturbances: UInt64 = 0

  public init() {}
}

/// How many routes of one family there are.
public struct RouteCounts: Hashable, Sendable {
  public var desired = 0
  /// Those that the kernel has as they are desired.
  public var present = 0
  /// Those that somebody else holds.
  public var held = 0
  /// Those that are neither: refused, or waiting for a device.
  public var failed = 0

  public init() {}
}
