import CalicoModel
public import Datastore
public import DatastoreSettings
import EtcdMessages

/// Calico's entries in an etcd cluster, under Calico's own keys and in its own JSON.
///
/// Members of version 3.4 or later. A batch of reads is one request, and so is a plan, except for very large ones. There
/// is one connection, to the member that was found to work; when it is lost, the next call makes another, to the next
/// member if need be. What cannot be reached is told within five seconds.
public final class EtcdDatastore: Datastore {
  let client: EtcdClient

  /// A store. Files are read here; a connection is begun, and no answer waited for, except for those of name servers when
  /// the members are to be found by a domain.
  ///
  /// - Parameter settings: where the cluster is, and who we are.
  /// - Throws: `DatastoreError` when the settings cannot be used.
  public init(_ settings: EtcdSettings) throws(DatastoreError) {
    let connection = try EtcdConnectionSettings(settings)
    client = EtcdClient(settings, connection.endpoints, connection.tls)
  }

  /// Ends the connection, and the thread that serves it; the store cannot be used afterwards. A program that ends need
  /// not call it.
  public func close() async throws {
    try await client.close()
  }

  /// What this store has asked its cluster for so far.
  public var statistics: EtcdStatistics { client.statistics }

  /// Begins to count anew.
  public func resetStatistics() {
    client.resetStatistics()
  }

  public var commitsAtomically: Bool { true }

  /// Reads entries and ranges in one request, or in several at a time when there are more than 120.
  ///
  /// Long listings are read in pages, all of them as of one revision.
  public func read(_ reads: [Read], deadline: Deadline) async throws(DatastoreError) -> [ReadResult] {
    var queries = reads.map { RangeQuery($0) }
    do throws(EtcdFailure) {
      _ = try await RangeReader(client, deadline).read(&queries, for: Self.subject(of: reads))
    } catch {
      throw error.error
    }
    return zip(queries, reads).map { $0.result(of: $1) }
  }

  private static func subject(of reads: [Read]) -> String {
    guard let first = reads.first else { return "read" }
    let path = String(decoding: RangeQuery(first).range.lower.filter { $0 != 0 }, as: UTF8.self)
    return reads.count > 1 ? "read \(path) and \(reads.count - 1) more entries or ranges" : "read \(path)"
  }

  /// Makes the changes of a plan in one transaction, or in several when they are more than 120 or a megabyte.
  ///
  /// Several are made one after the other, each of entries that belong together; what those before a conflict wrote is in
  /// the outcome.
  public func commit(_ plan: Plan, deadline: Deadline) async throws(DatastoreError) -> Outcome {
    var applied: [Write] = []
    for part in PlanDivision(plan).transactions {
      let transaction = Transaction(writes: part.map { Self.following(applied, $0) })
      if let key = transaction.impossible { return .conflict(key, applied: applied) }
      do throws(EtcdFailure) {
        let answer: Etcdserverpb_TxnResponse = try await client.call(
          "/etcdserverpb.KV/Txn", transaction.request, for: transaction.subject, .whenNotApplied, deadline)
        if !answer.succeeded, let key = transaction.conflict(in: answer) { return .conflict(key, applied: applied) }
        applied += transaction.done(at: answer.header.revision)
      } catch {
        let doubt = part.first.map { Write($0.key, $0.stage, revision: nil) }
        if error.mayBeApplied { return .unknown(doubt, applied: applied) }
        // What is half made must be reported; an error would say that nothing was written.
        if applied.isEmpty { throw error.error }
        return .unknown(nil, applied: applied)
      }
    }
    let revisions = applied.filter { $0.stage == .final }.map { ($0.key, $0.revision) }
    return .applied(Dictionary(revisions) { $1 }.compactMapValues(\.self))
  }

  /// A write that compares with what an earlier transaction of the same plan made of its entry.
  private static func following(_ applied: [Write], _ write: PlannedWrite) -> PlannedWrite {
    guard write.stage == .final, let revision = applied.last(where: { $0.key == write.key })?.revision else {
      return write
    }
    var write = write
    write.base = .revision(revision)
    return write
  }

  /// Reports entries as they are, and then as they change.
  ///
  /// One stream of the cluster brings the changes as they are made. When it breaks, another goes on where it stood; what
  /// has been compacted in between becomes a snapshot. It ends when its task is cancelled, and throws `DatastoreError`
  /// when the cluster cannot be reached at the start, or not for half a minute, or refuses.
  public func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    WatchStream { [client] in
      let watcher = EtcdWatcher(client, interest, from: cursor)
      return { try await watcher.next() }
    }
  }
}
