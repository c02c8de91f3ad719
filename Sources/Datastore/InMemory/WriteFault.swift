public import CalicoModel

/// A write that an ``InMemoryDatastore`` is about to make.
public struct PendingWrite: Hashable, Sendable {
  public let key: Key
  /// Always final where plans are committed as a whole.
  public let stage: Write.Stage
  /// Whether the entry is to be deleted.
  public let isDeletion: Bool

  init(_ write: StagedWrite) {
    key = write.change.key
    stage = write.stage
    isDeletion = write.bytes == nil
  }
}

/// What becomes of a write, as a test wants it.
///
/// Where plans are committed as a whole, the hook is asked for every key before anything is written, and the first
/// answer but ``proceed`` holds for the whole plan.
public enum WriteFault: Hashable, Sendable {
  /// It is made, if its base holds.
  case proceed
  /// It is refused, as if another process had changed the entry.
  case conflict
  /// The process dies before it: ``Outcome/unknown(_:applied:)``, and it was not made.
  case cutOff
  /// It is made if its base holds, but the answer is lost: ``Outcome/unknown(_:applied:)``.
  case answerLost
  /// The store is out of reach: ``DatastoreError``, or an unknown outcome when the plan is half made already.
  case unavailable
}
