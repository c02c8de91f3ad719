import CNI
import CalicoBackend
import HostLocal
import IPAddressing
import SQLiteDatastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A call by a person or an init container rather than a runtime (front-end specification, sections 1.1 and 1.12).
struct CommandLineCall {
  private let arguments: [String]

  init(_ arguments: [String]) {
    self.arguments = arguments
  }

  private static let usage = """
    Usage of calico-ipam:
      -v
            Display version
      -upgrade
            Take over the reservations of host-local, so that the network can be switched to calico-ipam
      -network string
            With -upgrade: the network's name (default "k8s-pod-network")
      -node string
            With -upgrade: the node's name (default: the environment's KUBERNETES_NODE_NAME)
      -data-dir string
            With -upgrade: where host-local keeps its reservations (default "/var/lib/cni/networks")
      -database string
            With -upgrade: the file of the embedded datastore (default "/var/lib/swift-ipam/ipam.db")
    Without arguments it is a CNI plugin, called by a container runtime.
    """

  func run() async -> Int32 {
    var isUpgrade = false
    var values = [
      "network": "k8s-pod-network", "node": "", "data-dir": HostLocalConfiguration.defaultDataDirectory,
      "database": SQLiteDatastore.defaultPath,
    ]
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      let (name, attached) = Self.split(argument)
      switch name {
      case "v":
        print(PackageVersion.current)
        return 0
      case "upgrade": isUpgrade = true
      case "h", "help":
        Self.complain(Self.usage)
        return 0
      default:
        guard values[name] != nil, let value = attached ?? rest.popFirst() else {
          let problem = values[name] == nil ? "flag provided but not defined" : "flag needs an argument"
          Self.complain("\(problem): -\(name)\n\(Self.usage)")
          return 2
        }
        values[name] = value
      }
    }
    guard isUpgrade else {
      Self.complain(Self.usage)
      return 2
    }
    return await upgrade(values)
  }

  /// A flag's name and the value behind `=`; one dash or two.
  private static func split(_ argument: String) -> (name: String, value: String?) {
    var text = argument[...]
    if text.hasPrefix("-") { text = text.dropFirst() }
    if text.hasPrefix("-") { text = text.dropFirst() }
    guard let sign = text.firstIndex(of: "=") else { return (String(text), nil) }
    return (String(text[..<sign]), String(text[text.index(after: sign)...]))
  }

  private func upgrade(_ values: [String: String]) async -> Int32 {
    let named = values["node"] ?? ""
    let node = named.isEmpty ? Self.environment("KUBERNETES_NODE_NAME") : named
    guard !node.isEmpty else {
      Self.complain("KUBERNETES_NODE_NAME not specified, refusing to migrate...")
      return 1
    }
    let network = values["network"] ?? ""
    let adoption = Adoption(
      network: network, handlePrefix: network, node: node, dataDirectory: values["data-dir"] ?? "",
      log: { Self.complain($0) })
    do {
      let report = try await adoption.run(SQLiteDatastore(path: values["database"] ?? ""))
      Self.complain("adopted \(report.adopted.count) address(es) of network \(network)")
      if !report.outside.isEmpty {
        let list = report.outside.map(\.description).joined(separator: ", ")
        Self.complain("in no enabled IP pool, and so left with host-local: \(list)")
      }
      Self.complain("migration from host-local to calico-ipam complete")
      return 0
    } catch {
      Self.complain("failed to migrate ipam: \(error)")
      return 1
    }
  }

  private static func environment(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
  }

  private static func complain(_ text: String) {
    CNIStreams.ofProcess.log(text)
  }
}
