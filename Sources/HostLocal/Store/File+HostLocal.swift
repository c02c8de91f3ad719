import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension File {
  /// The whole content of the file at `path`, which may be a pipe, or a file that the kernel makes up as it is read.
  static func contents(of path: String) throws(HostLocalError) -> [UInt8] {
    let file: FileDescriptor
    do { file = try open(path, O_RDONLY) } catch { throw .system("open", path, error.number) }
    do { return try contents(ofStream: file) } catch { throw .system("read", path, error.number) }
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

extension stat {
  var fileNumber: FileNumber { FileNumber(device: UInt64(st_dev), inode: UInt64(st_ino)) }
}
