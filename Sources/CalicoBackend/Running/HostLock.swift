import CLinux
import CNI
import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The lock that the processes of a host share so that they do not contend for the same blocks. Nothing depends on it
/// for being right: without it there are only more conflicts (front-end specification, section 1.8).
///
/// Held to the end of its life.
struct HostLock: ~Copyable {
  private let file: FileDescriptor?

  /// Waits for the lock some seconds, and goes on without it, with a warning, when it cannot be had in time. A missing
  /// file is made, and so is its directory.
  static func acquire(_ path: String, seconds: UInt32, log: (String) -> Void) -> HostLock {
    let flags = O_RDWR | O_CREAT
    var opened = open(path, flags | O_CLOEXEC, 0o600)
    if opened < 0, errno == ENOENT {
      makeParents(of: path)
      opened = open(path, flags | O_CLOEXEC, 0o600)
    }
    guard opened >= 0 else {
      log("Failed to grab IPAM lock, may contend for datastore updates: open \(path): \(systemReason(errno))")
      return HostLock(file: nil)
    }
    let file = FileDescriptor(adopting: opened)
    if flock(file.number, LOCK_EX | LOCK_NB) == 0 { return HostLock(file: file) }
    if errno == EWOULDBLOCK, clinux_lock_within(file.number, seconds) == 0 { return HostLock(file: file) }
    let holder = LockHolder.describe(file.number)
    log(
      "Failed to grab IPAM lock, may contend for datastore updates: \(path) is held by \(holder) "
        + "for \(seconds) seconds and more; going on without it")
    return HostLock(file: nil)
  }

  private static func makeParents(of path: String) {
    var parents: [String] = []
    var rest = path[...]
    while let slash = rest.lastIndex(of: "/"), slash > rest.startIndex {
      rest = rest[..<slash]
      parents.append(String(rest))
    }
    for parent in parents.reversed() { mkdir(parent, 0o777) }
  }
}
