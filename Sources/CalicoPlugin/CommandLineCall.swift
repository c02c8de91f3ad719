import CNI
public import CalicoBackend
import CalicoEngine
import Datastore
import HostLocal
import IPAM
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A call by a person or an init container rather than a runtime (front-end specification, sections 1.1 and 1.12).
public struct CommandLineCall: Equatable, Sendable {
  /// What a command line asks for.
  public enum Request: Equatable, Sendable {
    case version
    case help
    case upgrade(Upgrade)
    /// It cannot be understood, for a reason.
    case misuse(String)
  }

  /// What `-upgrade` is to take over.
  public struct Upgrade: Equatable, Sendable {
    public var network = "k8s-pod-network"
    /// Empty when the environment is to tell.
    public var node = ""
    public var dataDirectory = HostLocalConfiguration.defaultDataDirectory
    /// The file of the embedded datastore; empty for where it is without a word.
    public var database = ""
    /// The engine, which for a command line the environment tells.
    public var engine = CalicoConfiguration.DatastoreType.sqlite

    public init() {}

    init(network: String, node: String, dataDirectory: String) {
      self.network = network
      self.node = node
      self.dataDirectory = dataDirectory
    }

    /// The command line that asks for this, without what goes without saying.
    public var commandLine: String {
      let defaults = Upgrade()
      var words = engine == .sqlite ? [] : ["DATASTORE_TYPE=\(engine.rawValue)"]
      words.append("calico-ipam -upgrade -network \(network)")
      if !node.isEmpty { words.append("-node \(node)") }
      if dataDirectory != defaults.dataDirectory { words.append("-data-dir \(dataDirectory)") }
      if database != defaults.database { words.append("-database \(database)") }
      return words.joined(separator: " ")
    }
  }

  static let usage = """
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
    With -upgrade DATASTORE_TYPE in the environment tells which datastore is meant, sqlite without it; the variables of
    Calico's programs tell where etcdv3 and kubernetes are.
    Without arguments it is a CNI plugin, called by a container runtime.
    """

  public let request: Request

  /// Reads a command line.
  ///
  /// - Parameter arguments: the words behind the program's name.
  public init(_ arguments: [String]) {
    request = Self.request(arguments)
  }

  private static func request(_ arguments: [String]) -> Request {
    var isUpgrade = false
    var upgrade = Upgrade()
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      guard let (name, attached) = split(argument) else { return .misuse("unexpected argument: \(argument)") }
      let target: WritableKeyPath<Upgrade, String>
      switch name {
      case "h", "help": return .help
      case "v", "upgrade":
        guard let isSet = truth(attached ?? "true") else {
          return .misuse("invalid boolean value \"\(attached ?? "")\" for -\(name)")
        }
        if name == "v", isSet { return .version }
        if name == "upgrade" { isUpgrade = isSet }
        continue
      case "network": target = \.network
      case "node": target = \.node
      case "data-dir": target = \.dataDirectory
      case "database": target = \.database
      default: return .misuse("flag provided but not defined: -\(name)")
      }
      guard let value = attached ?? rest.popFirst() else { return .misuse("flag needs an argument: -\(name)") }
      upgrade[keyPath: target] = value
    }
    guard isUpgrade else { return .misuse("nothing to do: -upgrade is missing") }
    // It becomes a part of paths and handles.
    guard Attachment.isValid(containerID: Array(upgrade.network.utf8)) else {
      return .misuse("invalid value \"\(upgrade.network)\" for -network: it is no network's name")
    }
    return .upgrade(upgrade)
  }

  /// A flag's name, behind one dash or two, and the value behind `=`; nil for what is no flag.
  private static func split(_ argument: String) -> (name: String, value: String?)? {
    var text = argument[...]
    guard text.hasPrefix("-") else { return nil }
    text = text.dropFirst()
    if text.hasPrefix("-") { text = text.dropFirst() }
    guard let sign = text.firstIndex(of: "=") else { return (String(text), nil) }
    return (String(text[..<sign]), String(text[text.index(after: sign)...]))
  }

  /// A truth value as Go's command lines take it.
  private static func truth(_ text: String) -> Bool? {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
  }

  // MARK: Doing it

  /// Does what is asked for.
  ///
  /// - Parameter openStore: opens the store that an upgrade writes to.
  /// - Returns: the exit status.
  public func run(openStore: (Upgrade) throws -> some PluginDatastore) async -> Int32 {
    switch request {
    case .version:
      print(PackageVersion.current)
      return 0
    case .help:
      Self.complain(Self.usage)
      return 0
    case .misuse(let problem):
      Self.complain("\(problem)\n\(Self.usage)")
      return 2
    case .upgrade(let upgrade): return await run(upgrade, openStore)
    }
  }

  private func run(_ upgrade: Upgrade, _ openStore: (Upgrade) throws -> some PluginDatastore) async -> Int32 {
    let node = upgrade.node.isEmpty ? Self.environment("KUBERNETES_NODE_NAME") : upgrade.node
    guard !node.isEmpty else {
      Self.complain("KUBERNETES_NODE_NAME not specified, refusing to migrate...")
      return 1
    }
    let adoption = Adoption(
      network: upgrade.network, node: node, dataDirectory: upgrade.dataDirectory, log: { Self.complain($0) })
    while true {
      do {
        return Self.tell(try await adoption.run(openStore(upgrade)), upgrade.network)
      } catch {
        guard Self.isPassing(error) else {
          Self.complain("failed to migrate ipam: \(error)")
          return 1
        }
        Self.complain("failed to migrate ipam, retrying... error=\(error)")
        sleep(1)
      }
    }
  }

  /// Whether time heals a failure. Upstream tries for ever whatever it is; what only a person can put right is told here.
  static func isPassing(_ error: any Error) -> Bool {
    switch error {
    case let error as DatastoreError: error.code == .unavailable
    case let error as EngineError: error.code == .contention
    default: false
    }
  }

  private static func tell(_ report: Adoption.Report, _ network: String) -> Int32 {
    complain("adopted \(report.adopted.count) address(es) of network \(network)")
    if !report.outside.isEmpty {
      let list = report.outside.map(\.description).joined(separator: ", ")
      complain("in no enabled IP pool, and so left with host-local: \(list)")
    }
    for kept in report.kept {
      complain("cannot adopt \(kept.address): \(kept.reason)")
    }
    guard report.kept.isEmpty else {
      complain("migration from host-local to calico-ipam incomplete: \(report.kept.count) address(es) left")
      return 1
    }
    complain("migration from host-local to calico-ipam complete")
    return 0
  }

  private static func environment(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
  }

  private static func complain(_ text: String) {
    CNIStreams.ofProcess.log(text)
  }
}
