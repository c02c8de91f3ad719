public import CalicoModel

/// What a running procedure reports.
public enum ProcedureEvent: Hashable, Sendable {
  /// A step begins.
  case begins(ProcedureStep)
  /// A step is done, and what it led to was looked at.
  case done(ProcedureStep)
  /// Addresses that workloads gave back since the last look, and what is left.
  case left([AddressHolder], remaining: PoolHoldings)
  /// Who has addresses of the pool when the waiting begins.
  case waits(PoolProcedure.Role, PoolHoldings)
}

/// What a procedure needs of the world besides the store.
public struct ProcedureSurroundings: Sendable {
  /// The time of day.
  public var now: @Sendable () -> Timestamp
  /// A new random UUID.
  public var makeUUID: @Sendable () -> String
  /// Waits.
  public var pause: @Sendable (Duration) async throws -> Void
  /// Milliseconds on a clock that only goes forward.
  public var milliseconds: @Sendable () -> UInt64

  public init(
    now: @escaping @Sendable () -> Timestamp, makeUUID: @escaping @Sendable () -> String,
    pause: @escaping @Sendable (Duration) async throws -> Void, milliseconds: @escaping @Sendable () -> UInt64
  ) {
    self.now = now
    self.makeUUID = makeUUID
    self.pause = pause
    self.milliseconds = milliseconds
  }
}
