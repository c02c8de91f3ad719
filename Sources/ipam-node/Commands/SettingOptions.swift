import ArgumentParser

/// A heading of the help, as a type.
protocol SettingHeading: Sendable {
  static var section: Setting.Section { get }
}

enum AgentHeading: SettingHeading { static let section = Setting.Section.agent }
enum DatastoreHeading: SettingHeading { static let section = Setting.Section.datastore }
enum RoutesHeading: SettingHeading { static let section = Setting.Section.routes }
enum TunnelsHeading: SettingHeading { static let section = Setting.Section.tunnels }
enum CoexistenceHeading: SettingHeading { static let section = Setting.Section.coexistence }

/// The flags of the settings under one heading, made of the table of settings and not written down again.
///
/// ArgumentParser finds the properties of a type by looking into its mirror, and takes their values from a decoder. Both
/// are written by hand here, so that there may be as many properties as the table has rows.
struct SettingOptions<Heading: SettingHeading>: ParsableArguments, CustomReflectable {
  /// What was given, by the words of the flag.
  private(set) var values: [String: String] = [:]

  private static var settings: [Setting] { Setting.all.filter { $0.section == Heading.section } }

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: SettingKey.self)
    for setting in Self.settings {
      let key = SettingKey(stringValue: setting.name.key)
      switch setting.form {
      case .toggle:
        values[setting.name.words] = try container.decode(Flag<Bool?>.self, forKey: key).wrappedValue.map { "\($0)" }
      case .value: values[setting.name.words] = try container.decode(Option<String?>.self, forKey: key).wrappedValue
      }
    }
  }

  var customMirror: Mirror {
    Mirror(self, children: Self.settings.map { (label: $0.name.key, value: $0.argument) })
  }
}

/// The name of a setting as decoders have names.
private struct SettingKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }

  init?(intValue: Int) { nil }
}

extension Setting {
  /// The property wrapper that a property for this setting would have.
  fileprivate var argument: Any {
    let name: NameSpecification = .customLong(name.words)
    switch form {
    case .toggle:
      let text: ArgumentHelp = "\(help) (default: \(defaultText))"
      return Flag<Bool?>(name: name, inversion: .prefixedNo, help: text)
    case .value(let value):
      let standard = self.defaultText == "-" ? "" : " (default: \(defaultText))"
      return Option<String?>(name: name, help: ArgumentHelp("\(help)\(standard)", valueName: value))
    }
  }
}
