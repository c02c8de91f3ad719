/// One step of a procedure: what is done to which of its pools.
public struct ProcedureStep: Hashable, Sendable {
  public enum Action: Hashable, Sendable {
    /// Writes this run's turn to the source.
    case claim
    /// Creates the pool, disabled; the source in the form that is wanted.
    case create
    /// Lets the pool give addresses out.
    case enable
    /// Waits until no condition says that the pool cannot be used.
    case awaitUse
    /// Lets the pool give nothing out any more.
    case disable
    /// Waits until no address of the pool is given out or cools down.
    case drain
    /// Deletes the pool and its blocks, none of which has an address.
    case delete
    /// Waits until the pool is gone.
    case awaitDeletion
    /// Makes a pool again that was deleted while an address of it was being given out.
    case putBack
    /// Deletes blocks without addresses in the range of a pool that is gone.
    case clear
    /// Removes the mark from the source.
    case release
    /// Removes the record from the stand-in.
    case forget
  }

  public let action: Action
  public let role: PoolProcedure.Role

  init(_ action: Action, _ role: PoolProcedure.Role) {
    self.action = action
    self.role = role
  }

  /// Whether people are told of the step: the others keep the books, or wait for programs.
  public var isShown: Bool {
    switch action {
    case .create, .enable, .disable, .drain, .delete, .putBack: true
    case .claim, .awaitUse, .awaitDeletion, .clear, .release, .forget: false
    }
  }
}
