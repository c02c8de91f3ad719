import CalicoModel
import Datastore

/// A write with what it compares with.
struct ComparedWrite: Sendable {
  var key: Key
  var base: Base
  /// Nil to delete the entry.
  var value: Value?
}

/// Writes that reached the store together, and what became of them.
struct DecidedCommit: Sendable {
  enum Outcome: Hashable, Sendable {
    /// They were made; the revisions are those of the entries that existed then.
    case applied([Key: Revision])
    /// The first entry that was not what its write was made from.
    case conflict(Key)
  }

  var writes: [ComparedWrite]
  var outcome: Outcome
}
