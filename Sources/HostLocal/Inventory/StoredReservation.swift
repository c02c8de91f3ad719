public import IPAddressing

/// A reservation as it lies on disk, seen from outside a plugin call.
public struct StoredReservation: Hashable, Sendable {
  /// The reserved address, which is the file's name.
  public let address: IPAddress
  /// Whom the address belongs to.
  public let content: ReservationContent
  /// Which file it was: a reservation that was made anew since is another one.
  public let file: FileIdentity
  /// Whether it is proven to have been made in an earlier boot of this machine, so that its container cannot live.
  ///
  /// Only what was recorded then is proof; see the option `reclaimAfterReboot`.
  public let isFromEarlierBoot: Bool

  /// An inode with the time of its last change, in seconds and nanoseconds since 1970.
  public struct FileIdentity: Hashable, Sendable {
    public let inode: UInt64
    public let changeSeconds: Int64
    public let changeNanoseconds: Int64
  }
}
