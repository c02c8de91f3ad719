public import CalicoModel
public import Datastore

/// Why planning stopped before it came to a plan.
public enum Halt: Error {
  /// Something has to be read first.
  case read([Read])
  case failed(EngineError)
}

/// What an operation wants, from what it knows.
public enum Proposal<Result: Sendable>: Sendable {
  case commit(Draft)
  case done(Result)
}

/// What became of an operation's last draft.
public struct Settlement: Sendable {
  /// The entries that are as the draft wanted them in the end.
  public var applied: Set<Key>
  /// Whether that is all of them.
  public var isComplete: Bool
  /// Whether some of the others may be so as well, because an answer was lost.
  public var isInDoubt: Bool
}

/// One operation of address management, as a pure function that is asked again whenever more is known.
///
/// ``plan(_:)`` runs from the beginning each time. It takes what it needs from the planner, which throws
/// ``Halt/read(_:)`` for what has not been read yet. It changes its own state only in ways that stay right when it is
/// run again.
public protocol Operation: Sendable {
  associatedtype Result: Sendable

  /// Plans the next commit, or finds that there is nothing left to do.
  mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<Result>

  /// Takes in what became of the last draft.
  mutating func settle(_ settlement: Settlement)

  /// What the operation came to when it has to end with an error although a part of it was committed; nil when there is
  /// nothing but the error.
  func partialResult(_ error: EngineError) -> Result?
}

extension Operation {
  public func partialResult(_ error: EngineError) -> Result? { nil }
}
