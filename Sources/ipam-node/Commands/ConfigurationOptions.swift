import ArgumentParser
import CNI
import FileSystem

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
    let environment = Self.environment()
    var sources = ConfigurationSources(environment: environment)
    let named = config ?? environment[ConfigurationSources.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
    sources.file = try ConfigurationFile.read(named ?? ConfigurationFile.standardPath, isOptional: named == nil)
    for values in [agent.values, routes.values, tunnels.values, coexistence.values] {
      sources.flags.merge(values) { first, _ in first }
    }
    return sources
  }

  /// The variables that this process was started with.
  private static func environment() -> [String: String] {
    // Without /proc no statically linked program of this kind starts.
    guard let bytes = try? File.contents(at: "/proc/self/environ") else { return [:] }
    var variables: [String: String] = [:]
    for entry in bytes.split(separator: 0) {
      let parts = entry.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      variables[String(decoding: parts[0], as: UTF8.self)] = String(decoding: parts[1], as: UTF8.self)
    }
    return variables
  }
}
