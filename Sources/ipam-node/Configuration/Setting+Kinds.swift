import IPAddressing
import JSON

/// The kinds of values that settings have.
extension Setting {
  /// The place of a value in the configuration.
  typealias Place<Value> = any WritableKeyPath<AgentConfiguration, Value> & Sendable

  static func toggle(_ name: String, _ section: Section, _ place: Place<Bool>, _ help: String) -> Setting {
    Setting(
      name: SettingName(name), section: section, form: .toggle, help: help,
      take: { given, configuration throws(Problem) in
        configuration[keyPath: place] = try truth(given)
      },
      value: { .bool($0[keyPath: place]) }
    )
  }

  static func number<Value: FixedWidthInteger & Sendable>(
    _ name: String,
    _ section: Section,
    _ place: Place<Value>,
    _ range: ClosedRange<Value>,
    called value: String = "number",
    _ help: String
  ) -> Setting {
    Setting(
      name: SettingName(name), section: section, form: .value(value), help: help,
      take: { given, configuration throws(Problem) in
        guard let value = Value(integer(given) ?? ""), range.contains(value) else {
          throw .expected("a number from \(range.lowerBound) to \(range.upperBound)", given)
        }
        configuration[keyPath: place] = value
      },
      value: { .number(JSONNumber($0[keyPath: place])) }
    )
  }

  /// Seconds: a number, or a text such as `90s` or `2m`.
  static func duration(
    _ name: String, _ section: Section, _ place: Place<Int>, _ range: ClosedRange<Int>, _ help: String
  ) -> Setting {
    Setting(
      name: SettingName(name), section: section, form: .value("duration"), help: help,
      take: { given, configuration throws(Problem) in
        guard let value = seconds(given), range.contains(value) else {
          throw .expected("a duration from \(range.lowerBound)s to \(range.upperBound)s, such as 90s or 2m", given)
        }
        configuration[keyPath: place] = value
      },
      value: { .string("\($0[keyPath: place])s") }
    )
  }

  static func text(
    _ name: String, _ section: Section, _ place: Place<String>, called value: String, _ help: String
  ) -> Setting {
    Setting(
      name: SettingName(name), section: section, form: .value(value), help: help,
      take: { given, configuration throws(Problem) in
        guard let text = string(given), !text.isEmpty, !text.contains("\0") else {
          throw .expected("a text", given)
        }
        configuration[keyPath: place] = text
      },
      value: { .string($0[keyPath: place]) }
    )
  }

  /// One of a few words.
  static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ section: Section, _ place: Place<Value>, _ help: String
  ) -> Setting {
    let words = Value.allCases.map(\.rawValue)
    return Setting(
      name: SettingName(name), section: section, form: .value(words.joined(separator: "|")), help: help,
      take: { given, configuration throws(Problem) in
        guard let word = word(given), let value = Value(rawValue: word) else {
          throw .expected("one of " + words.joined(separator: ", "), given)
        }
        configuration[keyPath: place] = value
      },
      value: { .string($0[keyPath: place].rawValue) }
    )
  }

  /// Any of a few words: a list, or a text with commas.
  static func choices<Value: RawRepresentable<String> & CaseIterable & Hashable & Sendable>(
    _ name: String, _ section: Section, _ place: Place<Set<Value>>, _ help: String
  ) -> Setting {
    let all = Value.allCases.map(\.rawValue)
    return Setting(
      name: SettingName(name), section: section, form: .value(all.joined(separator: ",")), help: help,
      take: { given, configuration throws(Problem) in
        let values = list(given)?.map { Value(rawValue: $0) }
        guard let values, !values.contains(where: { $0 == nil }) else {
          throw .expected("a list of any of " + all.joined(separator: ", "), given)
        }
        configuration[keyPath: place] = Set(values.compactMap(\.self))
      },
      value: { configuration in
        .array(Value.allCases.filter(configuration[keyPath: place].contains).map { .string($0.rawValue) })
      }
    )
  }

  /// Texts: a list, or a text with commas.
  static func texts(
    _ name: String, _ section: Section, _ place: Place<[String]>, called value: String, _ help: String
  ) -> Setting {
    Setting(
      name: SettingName(name), section: section, form: .value(value), help: help,
      take: { given, configuration throws(Problem) in
        guard let texts = list(given), !texts.contains("") else { throw .expected("a list of texts", given) }
        configuration[keyPath: place] = texts
      },
      value: { .array($0[keyPath: place].map { .string($0) }) }
    )
  }

  /// An address of a family, or none.
  static func address(
    _ name: String, _ section: Section, _ place: Place<IPAddress?>, _ family: AddressFamily, _ help: String
  ) -> Setting {
    Setting(
      name: SettingName(name), section: section, form: .value("address"), help: help,
      take: { given, configuration throws(Problem) in
        guard let text = string(given), let address = IPAddress(text), address.family == family else {
          throw .expected("an \(family == .v4 ? "IPv4" : "IPv6") address", given)
        }
        configuration[keyPath: place] = address
      },
      value: { .string($0[keyPath: place].map { "\($0)" } ?? "") }
    )
  }

  /// The name of a network device.
  static func device(_ name: String, _ section: Section, _ place: Place<String>, _ help: String) -> Setting {
    Setting(
      name: SettingName(name), section: section, form: .value("name"), help: help,
      take: { given, configuration throws(Problem) in
        guard let name = string(given), isDeviceName(name) else {
          throw .expected("the name of a device: at most 15 bytes, without '/', ':' and white space", given)
        }
        configuration[keyPath: place] = name
      },
      value: { .string($0[keyPath: place]) }
    )
  }
}

// MARK: - Reading values

extension Setting {
  static func string(_ given: Given) -> String? {
    switch given {
    case .text(let text), .json(.string(let text)): text
    case .json: nil
    }
  }

  /// The digits of a whole number: in a file only of what is one there.
  static func integer(_ given: Given) -> String? {
    switch given {
    case .text(let text): text.utf8.first == UInt8(ascii: "+") ? nil : text
    case .json(.number(let number)): number.literal
    case .json: nil
    }
  }

  /// A word. YAML takes `on` and `off` for truth values; whoever writes them means the words.
  static func word(_ given: Given) -> String? {
    if case .json(.bool(let value)) = given { return value ? "on" : "off" }
    return string(given)
  }

  static func list(_ given: Given) -> [String]? {
    if case .json(.array(let elements)) = given {
      let texts = elements.compactMap(\.stringValue)
      return texts.count == elements.count ? texts : nil
    }
    guard let text = string(given) else { return nil }
    return text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
  }

  private static func truth(_ given: Given) throws(Problem) -> Bool {
    switch given {
    case .json(.bool(let value)): return value
    case .text("true"), .text("on"), .text("yes"), .text("1"): return true
    case .text("false"), .text("off"), .text("no"), .text("0"): return false
    default: throw .expected("true or false", given)
    }
  }

  private static func seconds(_ given: Given) -> Int? {
    if case .json(.number(let number)) = given { return Int(number.literal) }
    guard let text = string(given), let first = text.utf8.first, first != UInt8(ascii: "+"),
      first != UInt8(ascii: "-")
    else { return nil }
    let units: [(suffix: String, seconds: Int)] = [("s", 1), ("m", 60), ("h", 3600), ("", 1)]
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
      let count = Int(text.dropLast(unit.suffix.count))
    else { return nil }
    let product = count.multipliedReportingOverflow(by: unit.seconds)
    return product.overflow ? nil : product.partialValue
  }

  /// As the kernel takes names (`dev_valid_name`).
  private static func isDeviceName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 15 && name != "." && name != ".."
      && name.unicodeScalars.allSatisfy { $0 != "/" && $0 != ":" && $0.value > 0x20 && $0.value != 0x7F }
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
