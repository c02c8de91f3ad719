public import IPAddressing

/// How routing goes, as of the last pass.
public struct RoutingStatus: Hashable, Sendable {
  /// Whether everything was listed once, and the kernel made to follow.
  public var isInSync = false
  public var v4 = RouteCounts()
  public var v6 = RouteCounts()
  /// What is wrong now.
  public var conditions: [Condition.Subject: Condition] = [:]
  public var statistics = ReconcileStatistics()
  /// How long the last pass took.
  public var lastPass: Duration = .zero

  public init() {}

  public subscript(family: AddressFamily) -> RouteCounts { family == .v4 ? v4 : v6 }

  /// Whether every route is as it should be.
  public var isComplete: Bool { isInSync && v4.isComplete && v6.isComplete }
}

extension RouteCounts {
  /// Whether every route is as it should be.
  public var isComplete: Bool { present == desired }
}
