import ArgumentParser
import CNI
import DatastoreAccess

/// What all commands are told: the file, and a flag for every setting.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "The file with settings, in YAML or JSON. (default: \(ConfigurationFile.standardPath), if it is there)",
      valueName: "path"))
  var config: String?

  @OptionGroup(title: Setting.Section.agent.rawValue)
  var agent: SettingOptions<AgentHeading>

  @OptionGroup(title: Setting.Section.datastore.rawValue)
  var datastore: SettingOptions<DatastoreHeading>

  @OptionGroup(title: Setting.Section.routes.rawValue)
  var routes: SettingOptions<RoutesHeading>

  @OptionGroup(title: Setting.Section.tunnels.rawValue)
  var tunnels: SettingOptions<TunnelsHeading>

  @OptionGroup(title: Setting.Section.coexistence.rawValue)
  var coexistence: SettingOptions<CoexistenceHeading>

  /// What holds, from all sources.
  ///
  /// - Returns: the configuration, with who said what.
  /// - Throws: `ExitCode`, when everything that is wrong was said.
  func effective() throws -> EffectiveConfiguration {
    do throws(ConfigurationError) {
      return try sources().effective()
    } catch {
      CNIStreams.ofProcess.log("ipam-node: \(error)")
      throw ExitCode(Self.wrongConfiguration)
    }
  }

  /// `EX_CONFIG` of sysexits(3): a service manager need not try again.
  static let wrongConfiguration: Int32 = 78

  private func sources() throws(ConfigurationError) -> ConfigurationSources {
    let environment = ProcessEnvironment.variables
    var sources = ConfigurationSources(environment: environment)
    let named = config ?? environment[ConfigurationSources.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
    sources.file = try ConfigurationFile.read(named ?? ConfigurationFile.standardPath, isOptional: named == nil)
    for values in [agent.values, datastore.values, routes.values, tunnels.values, coexistence.values] {
      sources.flags.merge(values) { first, _ in first }
    }
    return sources
  }
}
