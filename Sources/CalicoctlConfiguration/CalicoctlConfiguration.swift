import CLinux
public import DatastoreSettings
import FileSystem
import JSON
import YAML

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The file that tells calicoctl where the datastore is (front-end specification, section 7.2).
///
/// It is YAML or JSON of kind `CalicoAPIConfig`. Where it exists it is the only source: variables of the environment do
/// not count then.
public enum CalicoctlConfiguration {
  /// Read when it is there and no other file is named.
  public static let standardPath = "/etc/calico/calicoctl.cfg"
  /// Far more than certificates inside a file take.
  private static let maximumSize = 1 << 20

  /// Where settings came from.
  public enum Source: Hashable, Sendable {
    case file(String)
    case environment
  }

  /// Finds the settings that hold: those of the file if it is there, those of the environment otherwise.
  ///
  /// - Parameters:
  ///   - path: the file that was named; nil for ``standardPath``, which need not exist.
  ///   - standardPath: the file that counts when none was named.
  ///   - environment: the variables.
  ///   - engine: what is meant when the environment does not say which engine. A file that does not say means etcd when
  ///     it has endpoints, else Kubernetes, as for calicoctl.
  /// - Returns: the settings, and where they came from.
  /// - Throws: ``CalicoctlConfigurationError``.
  public static func settings(
    path: String?, standardPath: String = CalicoctlConfiguration.standardPath, environment: [String: String],
    otherwise engine: DatastoreEngine
  ) throws(CalicoctlConfigurationError) -> (settings: DatastoreSettings, source: Source) {
    let file = path ?? standardPath
    if let text = try contents(of: file, isOptional: path == nil) {
      var settings = try CalicoctlConfigurationReader(path: file).settings(in: text)
      if settings.engine == .kubernetes {
        settings.kubernetes.findUsersKubeconfig(environment["HOME"] ?? "") { access($0, F_OK) == 0 }
      }
      return (settings, .file(file))
    }
    do throws(DatastoreSettingsError) {
      return (try DatastoreSettings(environment: environment, otherwise: engine), .environment)
    } catch {
      throw CalicoctlConfigurationError(.invalid, error.description, advice: error.advice)
    }
  }

  /// Reads a file; nil when it is not there and need not be.
  private static func contents(
    of path: String, isOptional: Bool
  ) throws(CalicoctlConfigurationError) -> [UInt8]? {
    let text: [UInt8]
    do throws(SystemError) {
      text = try File.contents(of: File.open(path, O_RDONLY | O_NONBLOCK), limit: maximumSize + 1)
    } catch {
      if error.number == ENOENT || error.number == ENOTDIR {
        if isOptional { return nil }
        throw CalicoctlConfigurationError(.missing, "Error reading config file: \(path)")
      }
      let reason = String(cString: strerror(error.number))
      throw CalicoctlConfigurationError(
        .unreadable, "cannot read \(path): \(reason)",
        advice: error.number == EACCES ? "run it as root, or name another file with --config" : "")
    }
    guard text.count <= maximumSize else {
      throw CalicoctlConfigurationError(
        .invalid, "\(path) has more than \(maximumSize) bytes: that is no configuration of calicoctl")
    }
    return text
  }
}

/// Why settings cannot be found.
public struct CalicoctlConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// There is no such file. calicoctl says so on stdout.
    case missing
    /// The file is there, and cannot be read.
    case unreadable
    /// What the file or the environment says cannot be used.
    case invalid
  }

  public let code: Code
  /// What was read, and what is wrong with it.
  public let description: String
  /// What to do about it; may be empty.
  public let advice: String

  init(_ code: Code, _ description: String, advice: String = "") {
    self.code = code
    self.description = description
    self.advice = advice
  }
}
