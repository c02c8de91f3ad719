import FileSystem
import JSON
import YAML

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What kubeconfig files say, merged by kubectl's rules: what an earlier file says of a name counts as a whole, and a
/// later file adds the names that the earlier ones do not have.
struct Kubeconfig: Hashable, Sendable {
  struct Cluster: Hashable, Sendable {
    var server = ""
    var authority: PEMOrigin?
    var skipsVerification = false
    /// The name that the server's certificate must have; empty for that of its address.
    var serverName = ""
    var proxy = ""
  }

  struct User: Hashable, Sendable {
    var certificate: PEMOrigin?
    var key: PEMOrigin?
    var token = ""
    var tokenFile = ""
    var username = ""
    var password = ""
    /// What this program does not do: `exec` or `auth-provider`; nil for neither.
    var unsupported: String?
  }

  struct Context: Hashable, Sendable {
    var cluster = ""
    var user = ""
    var namespace = ""
  }

  /// PEM text, and what to call it in messages.
  enum PEMOrigin: Hashable, Sendable {
    case file(String)
    /// Decoded data of a kubeconfig's member.
    case data([UInt8], name: String)
  }

  /// What to call the configuration in messages.
  var name = ""
  var currentContext = ""
  var clusters: [String: Cluster] = [:]
  var users: [String: User] = [:]
  var contexts: [String: Context] = [:]

  /// Reads the files of a list.
  ///
  /// - Parameter paths: paths separated by colons. A missing file counts as an empty one when there are several; all of
  ///   them, or the only one, must not be missing.
  /// - Throws: ``KubernetesTransportError`` with the code `settings`.
  init(paths: String) throws(KubernetesTransportError) {
    let files = paths.split(separator: ":").map(String.init)
    var missing: [String] = []
    for file in files {
      let text: [UInt8]
      do throws(SystemError) {
        text = try File.contents(at: file)
      } catch {
        guard error.number == ENOENT else {
          throw KubernetesTransportError(
            .settings, "cannot read the kubeconfig \(file): \(SystemReason.text(error.number))",
            advice: "make the file readable for this program, or name another one")
        }
        missing.append(file)
        continue
      }
      merge(try Kubeconfig(String(decoding: text, as: UTF8.self), file: file))
    }
    guard missing.count < files.count || files.isEmpty else {
      throw KubernetesTransportError(
        .settings, "no such kubeconfig: \(missing.joined(separator: ", "))",
        advice: "write it, or name another one")
    }
    name = "kubeconfig \(paths)"
  }

  /// Reads one text.
  ///
  /// - Parameters:
  ///   - text: YAML or JSON.
  ///   - file: the file that it is from, to whose folder its paths are relative; nil when it is from none.
  /// - Throws: ``KubernetesTransportError`` with the code `settings`.
  init(_ text: String, file: String?) throws(KubernetesTransportError) {
    name = file.map { "kubeconfig \($0)" } ?? "the inline kubeconfig"
    let document: JSON?
    do throws(YAMLDocument.Failure) {
      document = try YAMLDocument.json(text)
    } catch {
      throw KubernetesTransportError(
        .settings, "cannot read \(name): \(error.reason)", advice: "correct the file; kubectl config view checks it")
    }
    guard let document else { return }
    let folder = file.map { $0.lastIndex(of: "/").map { slash in String(file?[..<slash] ?? "") } ?? "." }
    var reader = KubeconfigReader(name: name, folder: folder)
    try reader.read(document, into: &self)
  }

  /// Takes over what another file says of names that are not known yet.
  private mutating func merge(_ later: Kubeconfig) {
    if currentContext.isEmpty { currentContext = later.currentContext }
    clusters.merge(later.clusters) { earlier, _ in earlier }
    users.merge(later.users) { earlier, _ in earlier }
    contexts.merge(later.contexts) { earlier, _ in earlier }
  }
}

/// The system's words for an error number.
enum SystemReason {
  static func text(_ number: Int32) -> String { String(cString: strerror(number)) }
}
