/// A place that keeps Calico's entries, and compares before it writes.
///
/// A driver has no allocation logic and never retries a commit: who made the plan knows what a conflict means.
public protocol Datastore: Sendable {
  /// Whether a plan is made as a whole or not at all; otherwise it is made stage by stage.
  var commitsAtomically: Bool { get }

  /// Reads entries and ranges in one batch.
  ///
  /// Each result is consistent in itself; different ones may be from different moments.
  ///
  /// - Parameters:
  ///   - reads: what to read.
  ///   - deadline: when to give up.
  /// - Returns: one result for each read, in their order.
  /// - Throws: ``DatastoreError`` when the store cannot be reached or read.
  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult]

  /// Makes the changes of a plan, if every entry is still what the plan was made from.
  ///
  /// - Parameters:
  ///   - plan: the changes.
  ///   - deadline: when to give up.
  /// - Returns: what became of the plan.
  /// - Throws: ``DatastoreError`` when nothing was written and nothing can be.
  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome

  /// Reports entries as they are, and then as they change.
  ///
  /// What is not of interest costs the watcher nothing: a driver lets the store tell it apart, and reads no value of it.
  ///
  /// - Parameters:
  ///   - interest: which entries.
  ///   - cursor: where an earlier stream ended; nil to begin with what there is. It may be that of another interest: what
  ///     it has no position for is told from the beginning.
  /// - Returns: the stream of events.
  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream

  /// Hands over every entry of a range, page by page, so that no more than a page or two are held.
  ///
  /// The pages may be of different moments: an entry that is written meanwhile may be told as it was or as it is. Each
  /// entry that is there all the time is told once. Nothing is changed.
  ///
  /// - Parameters:
  ///   - scope: which entries.
  ///   - milliseconds: how long each page may take.
  ///   - body: takes an entry; what it throws ends the scan.
  /// - Throws: ``DatastoreError`` when the store cannot be reached or read, and whatever `body` throws.
  func scan(
    _ scope: Listing.Scope, millisecondsPerPage milliseconds: UInt64, _ body: (ScannedEntry) throws -> Void
  ) async throws
}

extension Datastore {
  /// Reports entries of some kinds as they are, and then as they change.
  public func watch(_ kinds: Set<EntryKind>, from cursor: WatchCursor?) -> WatchStream {
    watch(WatchInterest(kinds), from: cursor)
  }
}
