public import CalicoEngine
public import CalicoModel
public import Datastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What a backend takes from the world besides its store.
public struct Surroundings: Sendable {
  /// Takes warnings, a line each.
  public var log: @Sendable (String) -> Void
  /// The time of day.
  public var now: @Sendable () -> Timestamp
  /// A clock that only goes forward, in nanoseconds.
  public var monotonic: @Sendable () -> UInt64 = { Deadline.now.nanoseconds }
  /// Where a host begins to search a pool for a new block.
  public var start: @Sendable (_ host: String) -> BlockOrder.Start
  /// Where hints are kept; nil to do without.
  public var memoryDirectory: String?
  /// How long an operation may take once the host's lock was had: 90 s (front-end specification, section 1.6).
  public var milliseconds: UInt64 = 90_000

  /// For how long pools that were found full are not searched again: where many hosts search, less often.
  public var exhaustionNanoseconds: UInt64 = 5_000_000_000

  /// Who knows pods, namespaces and virtual machines; nil when nobody does, and then nothing depends on them.
  public var workloads: (@Sendable () throws -> any WorkloadDirectory)?
  /// Makes old entries of a node such as this program expects them, where there can be such; nil where there are none
  /// (Calico IPAM specification, section 3.19).
  public var upgradeHost: (@Sendable (_ node: String, Deadline) async throws -> Void)?
  /// The file that says that this was done in this boot.
  public var upgradeMarker = "/var/run/calico/cni/ipam_upgraded"
  /// Whether what a call will need is read at once: where each read is a round trip.
  public var readsAhead = false
  /// Whether lists of the latest state have to be waited for, longer than for anything else.
  public var waitsForLists = false
  /// Whether calls of this host wait for one another; not those that change nothing.
  public var takesHostLock = true
  /// Takes what a call decides, and on what grounds, as it goes on; nil when nobody wants to know.
  public var explain: (@Sendable (CallDecision) -> Void)?

  public init(
    memoryDirectory: String? = "/run/swift-ipam/calico-ipam",
    log: @escaping @Sendable (String) -> Void
  ) {
    self.memoryDirectory = memoryDirectory
    self.log = log
    now = Self.timeOfDay
    start = { BlockOrder.Start(host: $0) }
  }

  private static func timeOfDay() -> Timestamp {
    var time = timespec()
    // With a clock that exists and a pointer that is valid the call cannot fail (clock_gettime(2)).
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}
