#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What commits leave on a store's files, to be seen without opening them: each is written to the log or to the file, and
/// so changes a time.
struct FileTraces: Hashable, Sendable {
  private struct Trace: Hashable {
    var device: UInt64
    var inode: UInt64
    var size: Int64
    var seconds: Int
    var nanoseconds: Int

    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      size = Int64(status.st_size)
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }
  }

  private let file: Trace?
  private let log: Trace?
  /// Whether another commit would certainly leave another time: the last one was longer ago than any file system's times
  /// are coarse. A clock that was set back leaves it open.
  let isSettled: Bool

  /// The traces as they are now.
  ///
  /// - Parameters:
  ///   - path: the store.
  ///   - now: the time of day, in seconds.
  init(of path: String, now: Int = FileTraces.timeOfDay) {
    file = Trace(path)
    log = Trace(path + "-wal")
    let newest = [file, log].compactMap { $0?.seconds }.max()
    // FAT keeps even seconds, which is the coarsest.
    isSettled = newest.map { now - $0 > 3 } ?? false
  }

  static func == (left: Self, right: Self) -> Bool { left.file == right.file && left.log == right.log }

  func hash(into hasher: inout Hasher) {
    hasher.combine(file)
    hasher.combine(log)
  }

  private static var timeOfDay: Int {
    var time = timespec()
    // With a clock that exists and a pointer that is valid the call cannot fail (clock_gettime(2)).
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec
  }
}
