import CLinux
import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The table of one network's reservations as the last process left it, and the rule for trusting it.
///
/// The index lives in a volatile place, never among the reservations, which the original walks. It is trusted only while
/// the directory carries the modification time that the index names; see ``DirectoryStamp``. Without trust, or without
/// a place to live, everything works the same by reading the directory.
struct ReservationIndex {
  /// The index's file.
  private let path: String
  private let place: String
  private let directory: FileNumber
  private let identity: BootIdentity.Source

  /// Where indexes live.
  static let defaultPlace = "/run/swift-ipam/host-local"

  /// Below this many reservations a directory is read afresh each time: that is as quick, and leaves no trace.
  static let smallestCount = 16

  init(place: String, directory: FileNumber, identity: BootIdentity.Source) {
    self.place = place
    path = place + "/" + String(decimal: directory.device) + "-" + String(decimal: directory.inode)
    self.directory = directory
    self.identity = identity
  }

  enum Found: ~Copyable {
    /// What the directory holds.
    case trusted(ReservationTable)
    /// What the directory held at some time of this boot. Good for what can be confirmed file by file.
    case outdated(ReservationTable)
    case nothing
  }

  /// The index as it is, judged by what the kernel says of the directory.
  func open(_ status: stat) -> Found {
    guard let table = TableFile.open(path), table.header.directory == directory,
      table.header.boot.boot == identity.boot(), !table.header.isBeingChanged
    else { return .nothing }
    let stamp = table.header.stamp
    if Int(stamp.seconds) == status.st_mtim.tv_sec, Int(stamp.nanoseconds) == status.st_mtim.tv_nsec,
      stamp.seconds != 0, table.header.directoryChange == ChangeTime(status)
    {
      return .trusted(table)
    }
    return .outdated(table)
  }

  /// Declares the table to be what the directory holds, for the next process.
  ///
  /// The table must have been brought up to date after the last change of the directory: whoever is killed before the
  /// stamp is set leaves the time of that change, and so an index that is not trusted.
  func publish(_ table: borrowing ReservationTable, directory descriptor: borrowing FileDescriptor) {
    let header = table.header
    if table.memory.isShared {
      header.stamp = header.stamp.next
    } else {
      let boot = identity.boot()
      guard boot != 0 else { return }
      header.stamp = .random()
      header.directory = directory
      header.boot = BootIdentity(machine: 0, boot: boot)
    }
    let stamp = header.stamp
    // The index only saves time: on a host that has no place for it, or a file system that cannot be stamped, every
    // process reads the directory.
    guard clinux_set_modification_time(descriptor.number, Int64(stamp.seconds), Int64(stamp.nanoseconds)) == 0,
      let status = try? File.status(of: descriptor)
    else { return }
    header.directoryChange = ChangeTime(status)
    header.isBeingChanged = false
    guard !table.memory.isShared else { return }
    TableFile.makeDirectory(place)
    try? TableFile.save(table, to: path)
  }
}
