import Datastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Which file a path led to.
struct FileIdentity: Hashable {
  let device: UInt64
  let inode: UInt64
}

/// What is done with files beside SQLite. Never opens a database: closing it again would end the locks that SQLite holds
/// for this process (fcntl(2)).
enum DatabaseFiles {
  /// A file that is there.
  struct Present {
    let file: FileIdentity
    let size: Int64
  }

  /// The file at a path; nil when there is none.
  static func present(at path: String) throws(DatastoreError) -> Present? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .system("stat", path, errno, database: path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw DatastoreError(.unusable, "\(path) is not a regular file", advice: "name another path")
    }
    let file = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    return Present(file: file, size: Int64(status.st_size))
  }

  /// The directory that a path lies in.
  static func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Creates a directory with all missing parents, mode 0755 whatever the mask is.
  static func makeDirectories(_ path: String, for database: String) throws(DatastoreError) {
    if access(path, F_OK) == 0 || path == "." || path == "/" { return }
    try makeDirectories(parent(of: path), for: database)
    if mkdir(path, 0o755) == 0 {
      // Just made by us; who removes it now gets an error at the next call.
      chmod(path, 0o755)
      return
    }
    if errno != EEXIST { throw .system("mkdir", path, errno, database: database) }
  }

  /// Creates an empty file that must not exist, with exactly this mode.
  static func makeFile(_ path: String, mode: mode_t, group: gid_t?, for database: String) throws(DatastoreError) {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .system("create", path, errno, database: database) }
    defer { close(file) }
    if let group, fchown(file, uid_t.max, group) != 0 { throw .system("chown", path, errno, database: database) }
    if fchmod(file, mode) != 0 { throw .system("chmod", path, errno, database: database) }
  }

  /// Removes a file, if it is there.
  static func remove(_ path: String, for database: String) throws(DatastoreError) {
    if unlink(path) != 0, errno != ENOENT { throw .system("remove", path, errno, database: database) }
  }

  /// Puts a file in the place of another, for good: before this returns, the name is on the disk.
  static func replace(_ path: String, with source: String) throws(DatastoreError) {
    guard rename(source, path) == 0 else { throw .system("rename", source, errno, database: path) }
    let directory = open(parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw .system("open", parent(of: path), errno, database: path) }
    defer { close(directory) }
    if fsync(directory) != 0 { throw .system("fsync", parent(of: path), errno, database: path) }
  }
}

extension DatastoreError {
  /// A failed system call on a file of a store.
  static func system(
    _ operation: String, _ path: String, _ number: Int32, database: String
  ) -> DatastoreError {
    let reason = strerror(number).map { String(cString: $0) } ?? "error \(number)"
    let text = "cannot \(operation) \(path): \(reason)"
    switch number {
    case EACCES, EPERM, EROFS:
      return DatastoreError(.forbidden, text, advice: SQLiteError.permissionAdvice(database))
    case ENOSPC, EDQUOT:
      return DatastoreError(.unavailable, text, advice: "nothing was changed; make room on the file system")
    default:
      return DatastoreError(.unavailable, text)
    }
  }
}
