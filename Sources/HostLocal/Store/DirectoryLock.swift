import CLinux
import CNI

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
        + "\(LockHolder.describe(file) ?? "a process that cannot be seen from here")"
    )
  }
}

/// Who holds a lock, as the kernel lists it.
private enum LockHolder {
  /// `process 4711 (host-local)`, or nil when no holder is listed.
  static func describe(_ file: borrowing FileDescriptor) -> String? {
    // Nobody is harmed when the list cannot be read: the message says so.
    guard let status = try? File.status(of: file), let table = try? File.contents(of: "/proc/locks") else { return nil }
    let device = "\(hexadecimal(major(status.st_dev))):\(hexadecimal(minor(status.st_dev))):\(status.st_ino)"
    for line in table.split(separator: UInt8(ascii: "\n")) {
      let words = String(decoding: line, as: UTF8.self).split(separator: " ")
      // "1: FLOCK  ADVISORY  WRITE 4711 fd:00:1234 0 EOF"; waiters have an arrow for their second word.
      guard words.count >= 6, words[1] == "FLOCK", words[5] == device else { continue }
      let command = (try? File.contents(of: "/proc/\(words[4])/comm")) ?? []
      let name = String(decoding: command.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
      return "process \(words[4])" + (name.isEmpty ? "" : " (\(name))")
    }
    return nil
  }

  private static func hexadecimal(_ number: UInt32) -> String {
    let text = String(number, radix: 16)
    return text.utf8.count < 2 ? "0" + text : text
  }

  private static func major(_ device: dev_t) -> UInt32 { UInt32(truncatingIfNeeded: device >> 8 & 0xFFF) }

  private static func minor(_ device: dev_t) -> UInt32 {
    UInt32(truncatingIfNeeded: device & 0xFF | device >> 12 & 0xFFF00)
  }
}
