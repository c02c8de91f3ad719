import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A ``ReservationTable`` in a file.
///
/// Files are replaced by rename and changed in place only under the lock of the network they describe.
enum TableFile {
  /// Maps the table in the file at `path`; nil when there is none, or none that can be trusted to be our own.
  static func open(_ path: String) -> ReservationTable? {
    // Absence is the common case, and everything else that is wrong with the file has the same answer: do without it.
    guard let file = try? File.open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK), let status = try? File.status(of: file)
    else { return nil }
    guard status.isRegularFile, status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else { return nil }
    guard let memory = TableMemory(mapping: file, size: Int(status.st_size)) else { return nil }
    return ReservationTable(adopting: memory)
  }

  /// Writes a table to the file at `path`, so that readers see the old file or the new one whole.
  ///
  /// Only one process at a time may write a given path, so the intermediate name can be fixed, and what a killed process
  /// left there is overwritten.
  static func save(_ table: borrowing ReservationTable, to path: String) throws(SystemError) {
    let intermediate = path + ".new"
    let file = try File.open(intermediate, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
    let base = table.memory.base
    var done = 0
    while done < table.memory.size {
      let written = write(file.number, base + done, table.memory.size - done)
      if written < 0 {
        if errno == EINTR { continue }
        throw SystemError(number: errno)
      }
      done += written
    }
    guard rename(intermediate, path) == 0 else { throw SystemError(number: errno) }
  }

  /// Makes a directory for table files, and its parent, for the owner alone.
  static func makeDirectory(_ path: String) {
    // When this fails, so does what is done in the directory next, and that is reported or done without.
    if mkdir(path, 0o700) != 0, errno == ENOENT, let parent = LexicalPath.parent(of: path) {
      mkdir(parent, 0o755)
      mkdir(path, 0o700)
    }
  }
}

extension ReservationTable {
  /// Writes the table to a file if it is not that file's memory already, as after growing.
  func saveIfDetached(to path: String) throws(SystemError) {
    if !memory.isShared { try TableFile.save(self, to: path) }
  }
}
