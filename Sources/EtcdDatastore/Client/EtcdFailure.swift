import Datastore

/// Why a request to a cluster gave no answer.
struct EtcdFailure: Error {
  /// For whoever has to do something about it.
  var error: DatastoreError
  /// Whether what was to be written may be there, or may still come to be.
  var mayBeApplied: Bool
  /// What the server said; nil when it said nothing.
  var status: GRPCStatus?
}

/// What a server's status means for who asked.
enum EtcdRefusal: Hashable, Sendable {
  /// The member is of no use at present, and did not do what was asked; another one may be better.
  case retryElsewhere
  /// Nobody knows whether it was done.
  case inDoubt
  /// The session with user and password is not known any more, or older than the last change of rights.
  case sessionLost
  case forbidden
  /// The cluster keeps no more: its database has reached its quota.
  case full
  /// What was asked for is gone with older revisions.
  case compacted
  /// The request is not one that the server takes.
  case invalid
  /// The server's data are damaged.
  case damaged

  /// Reads a status by its text where etcd uses one code for what must be told apart (etcd's api/v3rpc/rpctypes).
  init(_ status: GRPCStatus) {
    let text = status.message
    func says(_ part: String) -> Bool { text.contains(part) }
    switch status.code {
    case .permissionDenied: self = .forbidden
    case .unauthenticated where says("invalid auth token"): self = .sessionLost
    case .unauthenticated: self = .forbidden
    case .invalidArgument where says("revision of auth store is old"): self = .sessionLost
    case .invalidArgument where says("authentication failed") || says("user name is empty"): self = .forbidden
    case .resourceExhausted where says("database space exceeded"): self = .full
    case .resourceExhausted where says("too many requests"): self = .retryElsewhere
    case .outOfRange where says("compacted"): self = .compacted
    case .dataLoss: self = .damaged
    case .unavailable where says("no leader") || says("not capable") || says("learner"): self = .retryElsewhere
    // Raft took no proposal, because it had no leader.
    case .unknown where says("proposal dropped"): self = .retryElsewhere
    case .invalidArgument, .outOfRange, .failedPrecondition, .unimplemented, .notFound, .alreadyExists,
      .resourceExhausted:
      self = .invalid
    // "request timed out", "server stopped", "leader changed": the proposal may be on its way.
    default: self = .inDoubt
    }
  }
}
