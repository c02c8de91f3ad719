import DatastoreSettings
import JSON
import Netlink
import Routing
import Terminal

/// Everything that says how the agent is to be: a file, the environment and the command line, each overruling what
/// comes before it.
struct ConfigurationSources: Sendable {
  var file: ConfigurationFile?
  /// Environment variables.
  var environment: [String: String] = [:]
  /// Values of flags, by the flag's words.
  var flags: [String: String] = [:]
  /// Who this node is when no setting says so.
  var nodeNames = NodeNameSources()

  /// Puts all of it together.
  ///
  /// - Returns: what holds.
  /// - Throws: ``ConfigurationError`` with everything that is wrong, in the order of places.
  func effective() throws(ConfigurationError) -> EffectiveConfiguration {
    var result = EffectiveConfiguration()
    var problems: [String] = []
    takeCalicoEnvironment(&result, &problems)
    takeFile(&result, &problems)
    takeEnvironment(&result, &problems)
    takeFlags(&result, &problems)
    result.settleDatastore(home: environment["HOME"] ?? "")
    if problems.isEmpty { problems = Self.contradictions(result) }
    if problems.isEmpty, result.values.routing.nodeName.isEmpty {
      if let found = nodeNames.find(environment) {
        result.takeNodeName(found.name, from: found.origin)
      } else {
        problems.append("this node has no name: set nodeName (\(SettingName("node-name").flag))")
      }
    }
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    return result
  }

  // MARK: The places

  /// What Calico's programs are told: a DaemonSet that was written for them need not say it twice. A variable with the
  /// prefix counts whenever it is there, even when it is empty, which here means that nothing is said.
  private func takeCalicoEnvironment(_ result: inout EffectiveConfiguration, _ problems: inout [String]) {
    for setting in Setting.all {
      guard let name = setting.calicoVariable,
        let variable = ["CALICO_" + name, name].first(where: { environment[$0] != nil }),
        let text = environment[variable], !text.isEmpty
      else { continue }
      Self.take(.text(text), setting, .environment(variable), "environment: \(variable)", &result, &problems)
    }
  }

  private func takeFile(_ result: inout EffectiveConfiguration, _ problems: inout [String]) {
    guard let file else { return }
    let keys = Setting.all.map(\.name.key)
    var seen: Set<String> = []
    for member in file.members {
      let place = "\(file.path): \(PrintableText.of(member.key))"
      guard let setting = Setting.all.first(where: { $0.name.key == member.key }) else {
        problems.append("\(place): there is no such key" + Self.advice(NearestName.of(member.key, in: keys)))
        continue
      }
      guard seen.insert(member.key).inserted else {
        problems.append("\(place): given twice")
        continue
      }
      // A key without a value says as much as one that is not there.
      if case .null = member.value { continue }
      Self.take(.json(member.value), setting, .file(file.path), place, &result, &problems)
    }
  }

  private func takeEnvironment(_ result: inout EffectiveConfiguration, _ problems: inout [String]) {
    let ours = environment.filter { $0.key.hasPrefix(SettingName.variablePrefix) && !$0.value.isEmpty }
    for (variable, text) in ours.sorted(by: { $0.key < $1.key }) where variable != Self.fileVariable {
      if let setting = Setting.all.first(where: { $0.name.variable == variable }) {
        Self.take(.text(text), setting, .environment(variable), "environment: \(variable)", &result, &problems)
      } else if !Self.isOfKubernetes(variable) {
        let nearest = NearestName.of(variable, in: Setting.all.map(\.name.variable))
        problems.append("environment: \(PrintableText.of(variable)): there is no such setting" + Self.advice(nearest))
      }
    }
  }

  private func takeFlags(_ result: inout EffectiveConfiguration, _ problems: inout [String]) {
    for setting in Setting.all {
      guard let text = flags[setting.name.words] else { continue }
      Self.take(.text(text), setting, .flag(setting.name.flag), setting.name.flag, &result, &problems)
    }
  }

  private static func take(
    _ given: Setting.Given, _ setting: Setting, _ origin: EffectiveConfiguration.Origin, _ place: String,
    _ result: inout EffectiveConfiguration, _ problems: inout [String]
  ) {
    do throws(Setting.Problem) {
      try result.take(given, for: setting, from: origin)
    } catch {
      problems.append("\(place): \(PrintableText.of(error.message))")
    }
  }

  private static func advice(_ nearest: String?) -> String {
    nearest.map { "; did you mean \($0)?" } ?? "; 'ipam-node config' lists all"
  }

  // MARK: The environment

  /// Names the file, when the command line does not.
  static let fileVariable = SettingName.variablePrefix + "CONFIG"

  /// Whether Kubernetes sets the variable by itself, for a Service that is called ipam-node.
  private static func isOfKubernetes(_ variable: String) -> Bool {
    let rest = variable.dropFirst(SettingName.variablePrefix.count)
    return rest.hasPrefix("SERVICE_") || rest == "PORT" || rest.hasPrefix("PORT_")
  }

  // MARK: What does not fit together

  private static func contradictions(_ result: EffectiveConfiguration) -> [String] {
    let routing = result.values.routing
    var problems: [String] = []
    if routing.routeProtocol == .felix, !routing.adoptsFelixRoutes {
      let name = SettingName("route-protocol")
      problems.append(
        "\(result.origin(of: name)): \(name): 80 marks Felix's routes; set adoptFelixTunnelRoutes as well to take "
          + "them over, after Felix was told to program none, or choose another number")
    }
    let devices = [routing.ipipDevice, routing.vxlanDeviceV4, routing.vxlanDeviceV6]
    if Set(devices).count < devices.count {
      problems.append(
        "ipipDevice, vxlanDeviceV4 and vxlanDeviceV6 need a name each: \(devices.joined(separator: ", "))")
    }
    let datastore = result.values.datastore
    if datastore.engine == .etcd, datastore.etcd.endpoints.isEmpty, datastore.etcd.discoveryDomain.isEmpty {
      let name = SettingName("datastore-type")
      problems.append(
        "\(result.origin(of: name)): \(name): etcdv3 needs etcdEndpoints (ETCD_ENDPOINTS) or etcdDiscoverySrv")
    }
    if routing.classes.isEmpty {
      problems.append(
        "programClasses is empty, so nothing would be programmed: name at least one of vxlan, ipip, noencap")
    }
    return problems
  }
}
