import CLinux
import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Makes reservation files that appear with their content or not at all.
enum NewReservation {
  /// Makes a file of this name with this content; false when the name exists.
  ///
  /// The file has no name until its content is written, so a process killed at any point leaves nothing behind. On file
  /// systems without unnamed files it is written in a directory of our own beside the network's, and linked from there.
  ///
  /// - Throws: ``HostLocalError`` in upstream's words when the file cannot be made or written.
  static func link(
    _ content: [UInt8],
    as name: String,
    in directory: borrowing FileDescriptor,
    path: String
  ) throws(HostLocalError) -> Bool {
    let number = clinux_open_unnamed(directory.number, 0o600)
    guard number >= 0 else {
      guard errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL else {
        throw .system("open", "\(path)/\(name)", errno)
      }
      return try linkFromSpool(content, as: name, in: directory, path: path)
    }
    let file = FileDescriptor(adopting: number)
    do { try File.writeAll(content, to: file) } catch { throw .system("write", "\(path)/\(name)", error.number) }
    // Linking a descriptor itself needs a capability, linking its name in /proc does not (open(2), O_TMPFILE).
    let unnamed = "/proc/self/fd/" + String(decimal: UInt64(number))
    if linkat(AT_FDCWD, unnamed, directory.number, name, AT_SYMLINK_FOLLOW) == 0 { return true }
    guard errno == EEXIST else { throw .system("open", "\(path)/\(name)", errno) }
    return false
  }

  /// The name below the data directory of everything that is ours and no network's.
  static let ownDirectoryName = ".swift-ipam"

  /// The same by way of a named file in our own directory, for file systems without unnamed ones.
  static func linkFromSpool(
    _ content: [UInt8],
    as name: String,
    in directory: borrowing FileDescriptor,
    path: String
  ) throws(HostLocalError) -> Bool {
    let parent = LexicalPath.parent(of: path) ?? "."
    let own = LexicalPath.joined(parent, ownDirectoryName)
    try File.makeDirectories(own)
    // The network's name makes it unique, because its lock is held; what a killed process left is overwritten.
    let network = path.split(separator: "/").last.map(String.init) ?? ""
    let spool = LexicalPath.joined(own, "\(network).reservation")
    unlink(spool)
    defer { unlink(spool) }
    do {
      let file = try File.open(spool, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
      try File.writeAll(content, to: file)
    } catch {
      throw .system("write", spool, error.number)
    }
    if linkat(AT_FDCWD, spool, directory.number, name, 0) == 0 { return true }
    guard errno == EEXIST else { throw .system("open", "\(path)/\(name)", errno) }
    return false
  }
}
