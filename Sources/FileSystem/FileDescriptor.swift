#if canImport(Glibc)
  public import Glibc
#elseif canImport(Musl)
  public import Musl
#endif

/// An open file, closed at the end of its life.
public struct FileDescriptor: ~Copyable {
  public let number: Int32

  public init(adopting number: Int32) { self.number = number }

  deinit { close(number) }
}

/// System calls on files, each tried again when a signal interrupts it. Errors are error numbers; see open(2), read(2).
public enum File {
  /// Opens a path relative to a directory.
  public static func open(
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
  public static func contents(
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
  public static func contents(at path: String) throws(SystemError) -> [UInt8] {
    try contents(ofStream: open(path, O_RDONLY))
  }

  /// The whole content of an open file that may be a pipe, or one that the kernel makes up as it is read.
  public static func contents(ofStream file: borrowing FileDescriptor) throws(SystemError) -> [UInt8] {
    try contents(of: file, limit: .max, endsAtShortRead: false)
  }

  /// Writes all bytes, at an offset or, with none, at the file's place.
  public static func writeAll(
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
  public static func status(of file: borrowing FileDescriptor) throws(SystemError) -> stat {
    var status = stat()
    guard fstat(file.number, &status) == 0 else { throw SystemError(number: errno) }
    return status
  }

  /// What the kernel knows of a name; a symbolic link is not followed. Nil when there is no such name.
  public static func status(of name: String, in directory: Int32 = AT_FDCWD) throws(SystemError) -> stat? {
    var status = stat()
    if fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
    if errno == ENOENT { return nil }
    throw SystemError(number: errno)
  }
}

/// A failed system call: its error number and nothing else.
public struct SystemError: Error, Hashable {
  public let number: Int32

  public init(number: Int32) {
    self.number = number
  }
}

extension stat {
  public var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
  public var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
}
