import Routing
import Terminal

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

  /// All settings in columns: key, value, origin.
  var table: String {
    var table = TextTable(["KEY", "VALUE", "FROM"])
    for setting in Setting.all {
      table.add([setting.name.key, PrintableText.of(setting.text(values)), origin(of: setting.name).description])
    }
    return table.text
  }
}
