import Logging
import Synchronization

@testable import ipam_node

/// Log lines as people read them, kept instead of written; without the time.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  /// A logger that writes here.
  func logger(_ part: String = "test", _ format: LogFormat = .text, level: Logger.Level = .info) -> Logger {
    Logger(label: part) { label in
      LineLogHandler(
        label: label, format: format, level: level, now: { "NOW" },
        write: { line in self.lines.withLock { $0.append(line) } })
    }
  }
}
