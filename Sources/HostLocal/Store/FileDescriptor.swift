#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An open file, closed at the end of its life.
struct FileDescriptor: ~Copyable {
  let number: Int32

  init(adopting number: Int32) { self.number = number }

  deinit { close(number) }
}

/// System calls on files, each tried again when a signal interrupts it. Errors are error numbers; see open(2), read(2).
enum File {
  /// Opens a path relative to a directory.
  static func open(
    _ path: String,
    in directory: Int32 = AT_FDCWD,
    _ flags: Int32,
    mode: mode_t = 0
  ) throws(SystemError) -> FileDescriptor {
    while true {
      let number = openat(directory, path, flags | O_CLOEXEC, mode)
      if number >= 0 { return FileDescriptor(adopting: number) }
      if errno != EINTR { throw SystemError(number: errno) }
    }
  }

  /// The whole content of a regular file, up to `limit` bytes: a short read is its end.
  static func contents(
    of file: borrowing FileDescriptor,
    limit: Int = .max
  ) throws(SystemError) -> [UInt8] {
    try contents(of: file, limit: limit, endsAtShortRead: true)
  }

  private static func contents(
    of file: borrowing FileDescriptor,
    limit: Int,
    endsAtShortRead: Bool
  ) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = 512
    while bytes.count < limit {
      var failure: Int32 = 0
      let number = file.number
      let piece = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
        let result = read(number, buffer.baseAddress, chunk)
        if result < 0 { failure = errno }
        count = max(0, result)
      }
      if failure == EINTR { continue }
      guard failure == 0 else { throw SystemError(number: failure) }
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
      if piece.isEmpty || (endsAtShortRead && piece.count < chunk) { break }
      chunk = min(chunk * 8, 1 << 20)
    }
    return bytes
  }

  /// The whole content of the file at `path`, which may be a pipe, or a file that the kernel makes up as it is read.
  static func contents(of path: String) throws(HostLocalError) -> [UInt8] {
    let file: FileDescriptor
    do { file = try open(path, O_RDONLY) } catch { throw .system("open", path, error.number) }
    do { return try contents(of: file, limit: .max, endsAtShortRead: false) } catch {
      throw .system("read", path, error.number)
    }
  }

  /// Writes all bytes, at an offset or, with none, at the file's place.
  static func writeAll(
    _ bytes: [UInt8],
    to file: borrowing FileDescriptor,
    at offset: off_t? = nil
  ) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let number = file.number
      let done = bytes.count - rest.count
      let written = rest.withUnsafeBytes { buffer in
        guard let offset else { return write(number, buffer.baseAddress, buffer.count) }
        return pwrite(number, buffer.baseAddress, buffer.count, offset + off_t(done))
      }
      if written < 0 {
        if errno == EINTR { continue }
        throw SystemError(number: errno)
      }
      rest = rest.dropFirst(written)
    }
  }

  /// What the kernel knows of an open file.
  static func status(of file: borrowing FileDescriptor) throws(SystemError) -> stat {
    var status = stat()
    guard fstat(file.number, &status) == 0 else { throw SystemError(number: errno) }
    return status
  }

  /// What the kernel knows of a name; a symbolic link is not followed. Nil when there is no such name.
  static func status(of name: String, in directory: Int32 = AT_FDCWD) throws(SystemError) -> stat? {
    var status = stat()
    if fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
    if errno == ENOENT { return nil }
    throw SystemError(number: errno)
  }

  /// Creates a directory with all missing parents, mode 0755, and reports failures in upstream's words.
  static func makeDirectories(_ path: String) throws(HostLocalError) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.isDirectory else { throw .system("mkdir", path, ENOTDIR) }
      return
    }
    if let parent = LexicalPath.parent(of: path), !parent.isEmpty { try makeDirectories(parent) }
    if mkdir(path, 0o755) == 0 { return }
    let failure = errno
    // Another process may have been faster.
    if lstat(path, &status) == 0, status.isDirectory { return }
    throw .system("mkdir", path, failure)
  }
}

/// A failed system call: its error number and nothing else.
struct SystemError: Error, Hashable {
  let number: Int32
}

extension stat {
  var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
  var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
  var fileNumber: FileNumber { FileNumber(device: UInt64(st_dev), inode: UInt64(st_ino)) }
}
