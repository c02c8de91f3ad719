import Datastore

extension EtcdClient {
  /// What a connection that was lost in the middle of something means.
  func lost(_ text: String, _ subject: String) -> DatastoreError {
    DatastoreError(
      .unavailable, "cannot \(subject) in etcd at \(members): \(text)",
      advice: "see whether the cluster is healthy: etcdctl endpoint status --cluster")
  }

  /// What the end of a stream means.
  func failure(_ failure: GRPCFailure, of subject: String) -> EtcdFailure {
    switch failure.cause {
    case .status(let status):
      EtcdFailure(error: words(status, EtcdRefusal(status), subject), mayBeApplied: false, status: status)
    case .lost, .deadline:
      EtcdFailure(error: lost(TransportText.describe(failure), subject), mayBeApplied: false)
    }
  }

  private var members: String { endpoints.map(\.description).joined(separator: ", ") }

  /// What a server's refusal means, and what to do about it.
  func words(_ status: GRPCStatus, _ refusal: EtcdRefusal, _ subject: String) -> DatastoreError {
    switch refusal {
    case .forbidden, .sessionLost: forbidden(status, subject)
    case .full:
      DatastoreError(
        .unusable, "cannot \(subject) in etcd at \(members): its database is full (\(status))",
        advice:
          "compact and defragment it, then end the alarm: etcdctl compact REVISION; etcdctl defrag; etcdctl alarm "
          + "disarm; or raise --quota-backend-bytes")
    case .damaged:
      DatastoreError(
        .unusable, "cannot \(subject) in etcd at \(members): its data are damaged (\(status))",
        advice: "see the etcd member's log; restore a snapshot if need be")
    case .retryElsewhere, .inDoubt:
      DatastoreError(
        .unavailable, "cannot \(subject) in etcd at \(members): \(status)",
        advice: "see whether the cluster has a leader: etcdctl endpoint status --cluster")
    case .compacted, .invalid:
      DatastoreError(
        .unusable, "cannot \(subject) in etcd at \(members): \(status)",
        advice: "etcd of version 3.4 or later is needed, with its usual limits for requests")
    }
  }

  private func forbidden(_ status: GRPCStatus, _ subject: String) -> DatastoreError {
    let text = status.message
    if text.contains("authentication failed") {
      return DatastoreError(
        .forbidden, "etcd at \(members) does not know \(caller) with this password (\(status))",
        advice: "correct user and password (ETCD_USERNAME, ETCD_PASSWORD)")
    }
    if text.contains("user name is empty") {
      return DatastoreError(
        .forbidden, "cannot \(subject) in etcd at \(members): it wants to know who asks (\(status))",
        advice: "set user and password (ETCD_USERNAME, ETCD_PASSWORD), or a client certificate whose CN is a user")
    }
    return DatastoreError(
      .forbidden, "\(caller) may not \(subject) in etcd at \(members) (\(status))",
      advice: "grant it to a role of the user: etcdctl role grant-permission ROLE readwrite --prefix=true /calico/")
  }
}
