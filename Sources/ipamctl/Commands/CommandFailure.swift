import CNI
import HostLocal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Why a command could not be done: what was attempted, what was found, and what to do about it.
struct CommandFailure: Error, Hashable, CustomStringConvertible {
  /// What may help, given only where it fits the cause.
  enum Advice {
    /// For a missing permission: become root.
    case permission
    /// For a missing directory: name the right one.
    case dataDirectory
  }

  let description: String

  init(_ description: String) { self.description = description }

  init(_ attempt: String, _ cause: HostLocalError, advice: [Advice] = [.permission]) {
    var text = "\(attempt): \(cause)"
    for item in advice {
      switch (item, cause.code) {
      case (.permission, .system(EACCES)), (.permission, .system(EPERM)):
        text += "; run it as root"
      case (.dataDirectory, .system(ENOENT)), (.dataDirectory, .system(ENOTDIR)):
        text += "; name the 'dataDir' of the plugin's configuration with --data-dir"
      default: break
      }
    }
    self.init(text)
  }
}
