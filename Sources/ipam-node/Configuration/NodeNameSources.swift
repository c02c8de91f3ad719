import CalicoBackend
import FileSystem

/// Where the node's name comes from when no setting gives it: as Calico finds it.
struct NodeNameSources: Sendable {
  /// Written by whoever set the node up.
  var file = "/var/lib/calico/nodename"
  /// The host's own name.
  var hostName: @Sendable () -> String = { NodeName.ofHost { _ in } }

  /// The name and where it is from; nil when even the host has none.
  func find(_ environment: [String: String]) -> (name: String, origin: EffectiveConfiguration.Origin)? {
    let written = Self.trimmed(File.firstLine(of: file))
    if !written.isEmpty { return (written, .file(file)) }
    if let name = environment["NODENAME"].map(Self.trimmed), !name.isEmpty { return (name, .environment("NODENAME")) }
    let name = hostName()
    return name.isEmpty ? nil : (name, .hostName)
  }

  private static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
