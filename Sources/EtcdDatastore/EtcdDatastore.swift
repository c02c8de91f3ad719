public import Datastore
public import DatastoreSettings

/// Calico's entries in an etcd cluster, under Calico's own keys and in its own JSON.
public final class EtcdDatastore: Datastore {
  /// A store. Files are read here; a connection is begun, and no answer waited for.
  ///
  /// - Parameter settings: where the cluster is, and who we are.
  /// - Throws: `DatastoreError` when the settings cannot be used.
  public init(_ settings: EtcdSettings) throws(DatastoreError) {
    throw DatastoreError(.unsupported, "not written yet")
  }

  public var commitsAtomically: Bool { true }

  public func read(_ reads: [Read], deadline: Deadline) async throws(DatastoreError) -> [ReadResult] {
    throw DatastoreError(.unsupported, "not written yet")
  }

  public func commit(_ plan: Plan, deadline: Deadline) async throws(DatastoreError) -> Outcome {
    throw DatastoreError(.unsupported, "not written yet")
  }

  public func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    WatchStream { { nil } }
  }
}
