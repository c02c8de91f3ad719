import DatastoreSettings
import Routing
import Terminal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What holds, and who said so.
struct EffectiveConfiguration: Sendable {
  /// Where a value came from.
  enum Origin: Hashable, Sendable, CustomStringConvertible {
    case standard
    case file(String)
    case environment(String)
    case flag(String)
    case hostName

    var description: String {
      switch self {
      case .standard: "default"
      case .file(let path): path
      case .environment(let variable): variable
      case .flag(let flag): flag
      case .hostName: "host name"
      }
    }
  }

  var values = AgentConfiguration()
  private var origins: [SettingName: Origin] = [:]

  init() {}

  /// Takes a value over.
  mutating func take(_ given: Setting.Given, for setting: Setting, from origin: Origin) throws(Setting.Problem) {
    try setting.take(given, &values)
    origins[setting.name] = origin
  }

  /// Who said what a setting is.
  func origin(of name: SettingName) -> Origin { origins[name] ?? .standard }

  /// Takes over who this node is.
  mutating func takeNodeName(_ name: String, from origin: Origin) {
    values.routing.nodeName = name
    origins[SettingName("node-name")] = origin
  }

  /// Draws the conclusions about the datastore that nobody has to write down: endpoints of etcd mean etcd, and who has a
  /// kubeconfig in the usual place means that.
  ///
  /// - Parameter home: the user's directory.
  mutating func settleDatastore(home: String) {
    let (type, endpoints) = (SettingName("datastore-type"), SettingName("etcd-endpoints"))
    if origin(of: type) == .standard, !values.datastore.etcd.endpoints.isEmpty {
      values.datastore.engine = .etcd
      origins[type] = origin(of: endpoints)
    }
    if values.datastore.engine == .kubernetes {
      values.datastore.kubernetes.findUsersKubeconfig(home) { access($0, F_OK) == 0 }
    }
    values.datastore.kubernetes.usesPodCIDR = values.routing.mode == .podCIDRs
  }

  /// All settings in columns: key, value, origin.
  var table: String {
    var table = TextTable(["KEY", "VALUE", "FROM"])
    for setting in Setting.all {
      table.add([setting.name.key, PrintableText.of(setting.text(values)), origin(of: setting.name).description])
    }
    return table.text
  }
}
