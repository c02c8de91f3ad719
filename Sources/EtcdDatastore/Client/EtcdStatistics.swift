/// What a store has asked its cluster for.
public struct EtcdStatistics: Hashable, Sendable {
  /// Connections that were made.
  public var connections = 0
  /// Requests that were sent, those for a session included; a watch counts as one.
  public var requests = 0
  /// Bytes of the requests' messages.
  public var bytesSent = 0
  /// Bytes of the answers' messages, a watch's included.
  public var bytesReceived = 0
  /// The most requests that had to wait for one another since the last ``EtcdDatastore/resetStatistics()``: requests
  /// that were under way together count as one.
  public var roundTrips = 0

  public init() {}
}
