public import CalicoModel
public import IPAddressing

/// What a ``ResourceClient`` needs of the world besides the store: time, chance, and the operations on addresses that go
/// with the deletion of pools and nodes.
public struct ResourceSurroundings: Sendable {
  /// The time of day, for creation timestamps.
  public var now: @Sendable () -> Timestamp
  /// A new random UUID (RFC 9562, version 4) in lower case.
  public var makeUUID: @Sendable () -> String
  /// Waits.
  public var pause: @Sendable (Duration) async throws -> Void
  /// Gives up every affinity to a block inside a pool; blocks with addresses stay, affine to nobody (Calico IPAM
  /// specification, section 3.15, ReleasePoolAffinities).
  public var releasePoolAffinities: @Sendable (CIDR) async throws -> Void
  /// Gives addresses back, whatever holds them; addresses that nothing holds are no error.
  public var releaseAddresses: @Sendable ([IPAddress]) async throws -> Void
  /// Gives up every affinity of a host, and its directory marker (section 3.15, RemoveIPAMHost).
  public var releaseHostAffinities: @Sendable (String) async throws -> Void

  public init(
    now: @escaping @Sendable () -> Timestamp,
    makeUUID: @escaping @Sendable () -> String = { RandomUUID.text() },
    pause: @escaping @Sendable (Duration) async throws -> Void,
    releasePoolAffinities: @escaping @Sendable (CIDR) async throws -> Void,
    releaseAddresses: @escaping @Sendable ([IPAddress]) async throws -> Void,
    releaseHostAffinities: @escaping @Sendable (String) async throws -> Void
  ) {
    self.now = now
    self.makeUUID = makeUUID
    self.pause = pause
    self.releasePoolAffinities = releasePoolAffinities
    self.releaseAddresses = releaseAddresses
    self.releaseHostAffinities = releaseHostAffinities
  }
}
