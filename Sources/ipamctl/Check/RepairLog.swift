import CNI
import FileSystem
import JSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that gets a line of JSON for every repair, at once: what was done is known even if the program ends.
final class RepairLog {
  private let path: String
  private let file: FileDescriptor

  /// Opens a log, which is made if need be; what is in it stays.
  ///
  /// - Throws: `CommandFailure` when it cannot be written.
  init(path: String) throws(CommandFailure) {
    self.path = path
    do throws(SystemError) {
      file = try File.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o640)
    } catch {
      throw CommandFailure("the log cannot be opened at \(path): \(systemReason(error.number))")
    }
  }

  /// Adds a line.
  func add(_ entry: JSON) throws(CommandFailure) {
    do throws(SystemError) {
      try File.writeAll(entry.encoded() + [UInt8(ascii: "\n")], to: file)
    } catch {
      throw CommandFailure("the log cannot be written at \(path): \(systemReason(error.number))")
    }
  }
}
