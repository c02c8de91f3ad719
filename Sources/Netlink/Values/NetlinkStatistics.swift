/// What was exchanged with the kernel so far.
public struct NetlinkStatistics: Hashable, Sendable {
  /// Changes of routes that were sent.
  public internal(set) var routeMessages = 0
  /// Changes of anything else that were sent.
  public internal(set) var otherMessages = 0
  /// How many system calls carried them.
  public internal(set) var batches = 0
  /// Listings that were asked for; one that had to be repeated counts each time.
  public internal(set) var dumps = 0
  /// Events that were told, without those of this process.
  public internal(set) var events = 0
  /// How often events or answers were lost for want of room.
  public internal(set) var overflows = 0

  public init() {}
}
