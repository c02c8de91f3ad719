import CLinux
import CNI
import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The exclusive lock of a network's directory, shared with the original: flock(2) on the file `lock` (host-local
/// specification, section 4.7). Held to the end of its life.
struct DirectoryLock: ~Copyable {
  private let file: FileDescriptor

  /// The name of the lock file; its content is never written.
  static let fileName = "lock"

  /// Waits for the lock, creating its file when missing.
  ///
  /// - Parameters:
  ///   - directory: the network's directory, open.
  ///   - path: the network's directory, for messages.
  ///   - patience: after so many seconds of waiting it is told who holds the lock.
  ///   - log: takes that message.
  /// - Returns: the lock, held.
  /// - Throws: ``HostLocalError`` with the bare reason, as upstream has it.
  static func acquire(
    in directory: borrowing FileDescriptor,
    path: String,
    patience: UInt32,
    log: (String) -> Void
  ) throws(HostLocalError) -> DirectoryLock {
    let file: FileDescriptor
    do {
      file = try File.open(fileName, in: directory.number, O_RDONLY | O_CREAT, mode: 0o750)
    } catch {
      throw HostLocalError(.system(error.number), systemReason(error.number))
    }
    if flock(file.number, LOCK_EX | LOCK_NB) == 0 { return DirectoryLock(file: file) }
    if errno == EWOULDBLOCK { awaitPatiently(file, path: path, patience: patience, log: log) }
    while flock(file.number, LOCK_EX) != 0 {
      guard errno == EINTR else {
        throw HostLocalError(.system(errno), "cannot lock \(path)/\(fileName): \(systemReason(errno))")
      }
    }
    return DirectoryLock(file: file)
  }

  /// Waits until the lock is had or `patience` is over, and in the latter case tells who holds it. The place in the
  /// kernel's queue is given up only once.
  private static func awaitPatiently(
    _ file: borrowing FileDescriptor,
    path: String,
    patience: UInt32,
    log: (String) -> Void
  ) {
    guard clinux_lock_within(file.number, patience) != 0, errno == EINTR else { return }
    log(
      "waiting for the lock \(path)/\(fileName) for \(patience) seconds so far; it is held by "
        + LockHolder.describe(file.number)
    )
  }
}
