/// What a client has done since it was made.
public struct KubernetesStatistics: Hashable, Sendable {
  /// Requests that were begun, repetitions counted.
  public var requests: UInt64 = 0
  /// Connections that were made, the handshake included.
  public var connections: UInt64 = 0
  /// Bytes that came over connections after their handshakes, encrypted.
  public var bytesReceived: UInt64 = 0
  /// Bytes that went over connections after their handshakes, encrypted.
  public var bytesSent: UInt64 = 0

  public init() {}
}
