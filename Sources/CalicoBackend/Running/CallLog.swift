import CalicoModel
import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where a call tells what it does: warnings on stderr, and everything from the configured level on in a file, when one
/// is configured (front-end specification, section 1.11). Never on stdout, and never what was on stdin.
struct CallLog: Sendable {
  enum Level: Int, Sendable {
    case debug, info, warning, error

    /// The level that a configuration names; anything unknown is `info`.
    init(_ text: String) {
      switch text.lowercased() {
      case "debug": self = .debug
      case "error": self = .error
      default: self = .info
      }
    }

    var text: String {
      switch self {
      case .debug: "DEBUG"
      case .info: "INFO"
      case .warning: "WARNING"
      case .error: "ERROR"
      }
    }
  }

  private let path: String
  private let threshold: Level
  /// Bytes above which the file is put aside.
  private let limit: Int64
  private let tell: @Sendable (String) -> Void
  private let now: @Sendable () -> Timestamp

  init(_ configuration: CalicoConfiguration, _ surroundings: Surroundings) {
    path = configuration.logFile
    threshold = Level(configuration.logLevel)
    limit = configuration.logFileMegabytes * 1_000_000
    tell = surroundings.log
    now = surroundings.now
  }

  /// A step that went as it should. The fields are written behind the message, in their order.
  func info(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
    write(.info, message, fields)
  }

  /// Something that somebody may have to look at.
  func warning(_ message: String) {
    tell(message)
    write(.warning, message, [:])
  }

  /// Why the call fails; the runtime is told by other means.
  func failure(_ message: String) {
    write(.error, message, [:])
  }

  private func write(_ level: Level, _ message: String, _ fields: KeyValuePairs<String, String>) {
    guard !path.isEmpty, level.rawValue >= threshold.rawValue else { return }
    var line = now().logText
    line += " [" + level.text + "][" + String(getpid()) + "] ipam: " + message
    for (key, value) in fields { line += " " + key + "=\"" + value + "\"" }
    line += "\n"
    guard let file = open() else { return }
    // One write at the end of the file: lines of several processes do not mix. A log that cannot be written keeps no
    // container from its address.
    try? File.writeAll(Array(line.utf8), to: file)
    if let status = try? File.status(of: file), Int64(status.st_size) > limit { rename(path, path + ".1") }
  }

  private func open() -> FileDescriptor? {
    let flags = O_WRONLY | O_CREAT | O_APPEND
    if let file = try? File.open(path, flags, mode: 0o644) { return file }
    var directory = ""
    for part in path.split(separator: "/").dropLast() {
      directory += "/" + part
      mkdir(directory, 0o755)
    }
    return try? File.open(path, flags, mode: 0o644)
  }
}
