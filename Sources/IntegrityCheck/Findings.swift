/// What a check has found.
public struct Findings: Sendable {
  /// How many problems there are, as the report's last line tells.
  public var problems = 0
  /// What does not fit together, in the order of the report.
  public var faults: [Fault] = []
  /// Addresses that are given out and that nobody uses.
  public var leaks: [Leak] = []
  /// How many addresses are given out of which it cannot be told whether they are in use.
  public var unknownCount = 0
  /// Addresses that are given out with neither a handle nor an attribute, and that nobody is known to use.
  public var unowned: [Leak] = []
  /// How many entries did not fit, and were different at every look.
  public var unsettledCount = 0
}

/// Whose addresses are known.
public struct UserKnowledge: Sendable {
  /// The handles whose users are known; nil when everybody who may use an address is known.
  public var handles: Set<String>?
  /// What is said of other addresses: `not recorded on this host`.
  public var ignorance: String

  /// Everybody who may use an address is known.
  public static let complete = UserKnowledge(handles: nil, ignorance: "")

  public init(handles: Set<String>?, ignorance: String) {
    self.handles = handles
    self.ignorance = ignorance
  }
}
