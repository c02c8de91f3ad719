import CNI

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An open file, closed at the end of its life.
struct OpenFile: ~Copyable {
  let number: Int32

  deinit { close(number) }
}

/// Reading the host's files and directories.
enum HostFiles {
  /// A file that could not be read: which, and the error number.
  struct Failure: Error, Hashable, CustomStringConvertible {
    let path: String
    let number: Int32

    /// Whether there is no such file, or the process it tells of has ended.
    var isAbsence: Bool { number == ENOENT || number == ENOTDIR || number == ESRCH || number == EINVAL }

    /// Whether it is there, but not for this user.
    var isRefusal: Bool { number == EACCES || number == EPERM }

    var description: String { "\(path): \(systemReason(number))" }
  }

  /// Opens for reading, without waiting for anybody at the other end unless that is wanted.
  static func open(_ path: String, waits: Bool = false) throws(Failure) -> OpenFile {
    while true {
      let number = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | (waits ? 0 : O_NONBLOCK))
      if number >= 0 { return OpenFile(number: number) }
      if errno != EINTR { throw Failure(path: path, number: errno) }
    }
  }

  /// The whole content. The size that the kernel states is not asked for: files of /proc have none.
  static func contents(of path: String) throws(Failure) -> [UInt8] { try contents(of: path, waits: false) }

  /// The whole content of a file that a person named, which may be a pipe that another program writes to.
  static func input(_ path: String) throws(Failure) -> [UInt8] { try contents(of: path, waits: true) }

  private static func contents(of path: String, waits: Bool) throws(Failure) -> [UInt8] {
    let file = try open(path, waits: waits)
    return try withExtendedLifetime(file) { () throws(Failure) in
      try contents(ofDescriptor: file.number, path)
    }
  }

  /// Everything that comes in on stdin, until its other end is closed.
  static func standardInput() throws(Failure) -> [UInt8] { try contents(ofDescriptor: STDIN_FILENO, "stdin") }

  private static func contents(ofDescriptor descriptor: Int32, _ path: String) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      var failure: Int32 = 0
      let piece = [UInt8](unsafeUninitializedCapacity: 64 * 1024) { buffer, count in
        let result = read(descriptor, buffer.baseAddress, buffer.count)
        if result < 0 { failure = errno }
        count = max(0, result)
      }
      if failure == EINTR { continue }
      guard failure == 0 else { throw Failure(path: path, number: failure) }
      if piece.isEmpty { return bytes }
      bytes += piece
    }
  }

  /// The names in a directory but `.` and `..`, sorted.
  static func names(in path: String) throws(Failure) -> [String] {
    guard let directory = opendir(path) else { throw Failure(path: path, number: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(directory) else {
        guard errno == 0 else { throw Failure(path: path, number: errno) }
        return names.sorted()
      }
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
  }

  /// The inode number of what a path leads to, symbolic links followed.
  static func inode(of path: String) throws(Failure) -> UInt64 { UInt64(try status(of: path).st_ino) }

  /// The inode number of an open file.
  static func inode(of file: borrowing OpenFile) throws(Failure) -> UInt64 {
    var status = stat()
    guard fstat(file.number, &status) == 0 else { throw Failure(path: "descriptor \(file.number)", number: errno) }
    return UInt64(status.st_ino)
  }

  /// Whether there is anything at a path.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether a path leads to a directory.
  static func isDirectory(_ path: String) throws(Failure) -> Bool { try status(of: path).st_mode & S_IFMT == S_IFDIR }

  private static func status(of path: String) throws(Failure) -> stat {
    var status = stat()
    guard stat(path, &status) == 0 else { throw Failure(path: path, number: errno) }
    return status
  }
}
