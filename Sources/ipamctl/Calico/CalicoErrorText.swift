import ArgumentParser

/// How the commands that speak as calicoctl does print their errors: the text alone, and exit status 1 (calicoctl
/// specification, section 3.1).
enum CalicoErrorText {
  private static let commands: Set<String> = [
    "get", "create", "apply", "replace", "patch", "delete", "label", "validate", "ipam", "datastore",
  ]

  /// Whether a command line is that of such a command.
  static func concerns(_ arguments: [String]) -> Bool {
    arguments.first { !$0.hasPrefix("-") }.map(commands.contains) ?? false
  }

  /// What to print; nil for what is no error, such as a request for help, or was printed already.
  static func text(for error: any Error, _ arguments: [String]) -> String? {
    if error is ExitCode || IPAMControl.exitCode(for: error) == .success { return nil }
    let message = IPAMControl.message(for: error)
    if let option = quoted(message, after: "Unknown option '") {
      let advice = quoted(message, after: "Did you mean '").map { "\ndid you mean '\($0)'?" } ?? ""
      guard !option.hasPrefix("--") else { return "unknown flag: \(option)\(advice)" }
      let letter = option.dropFirst().prefix(1)
      return "unknown shorthand flag: '\(letter)' in \(written(letter, arguments) ?? option)"
    }
    if let option = quoted(message, after: "Missing value for '")?.prefix(while: { $0 != " " }) {
      guard !option.hasPrefix("--") else { return "flag needs an argument: \(option)" }
      return "flag needs an argument: '\(option.dropFirst())' in \(option)"
    }
    return message
  }

  /// What is in quotes behind other words: `--name` of `Unknown option '--name'. Did you mean '--namespace'?`
  private static func quoted(_ message: String, after beginning: String) -> String? {
    guard let start = message.firstRange(of: beginning)?.upperBound else { return nil }
    let rest = message[start...]
    return rest.firstIndex(of: "'").map { String(rest[..<$0]) }
  }

  /// The argument that a letter stands in.
  private static func written(_ letter: Substring, _ arguments: [String]) -> String? {
    arguments.first { $0.hasPrefix("-") && !$0.hasPrefix("--") && $0.dropFirst().contains(letter) }
  }
}

/// Options as calicoctl also takes them: `--show-blocks=false`, `-o=json`.
enum SwitchArguments {
  private static let names: Set<String> = [
    "--all-namespaces", "--allow-version-mismatch", "--apply", "--export", "--fix", "--force", "--overwrite",
    "--recursive", "--remove", "--repair-handles", "--show-all-ips", "--show-blocks", "--show-borrowed",
    "--show-configuration", "--show-problem-ips", "--skip-empty", "--skip-exists", "--skip-not-exists", "--yes",
  ]

  /// Options that calicoctl takes before the command as well, and whether a value follows.
  private static let everywhere = [
    "--allow-version-mismatch": false, "--context": true, "--log-level": true, "-l": true,
  ]

  /// The arguments with `--switch=true` as `--switch`, without `--switch=false`, with `-o=json` as `-ojson`, and with the
  /// command before all options.
  static func normalized(_ arguments: [String]) -> [String] {
    let arguments = commandFirst(arguments)
    guard CalicoErrorText.concerns(arguments) else { return arguments }
    return arguments.compactMap { argument in
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      if parts.count == 2, parts[0].utf8.count == 2, parts[0].hasPrefix("-"), parts[0] != "--" {
        return parts[0] + parts[1]
      }
      guard parts.count == 2, names.contains(parts[0]), let value = GoBoolean.value(of: parts[1]) else {
        return argument
      }
      return value ? parts[0] : nil
    }
  }

  /// The arguments with what is before the command at the end, where the command takes it.
  private static func commandFirst(_ arguments: [String]) -> [String] {
    var count = 0
    while count < arguments.count, let name = arguments[count].split(separator: "=", maxSplits: 1).first,
      let hasValue = everywhere[String(name)]
    {
      count += hasValue && !arguments[count].contains("=") ? 2 : 1
    }
    guard count > 0, count < arguments.count, CalicoErrorText.concerns(Array(arguments[count...])) else {
      return arguments
    }
    var ordered = Array(arguments[count...])
    // Behind two hyphens there are no options.
    ordered.insert(contentsOf: arguments[..<count], at: ordered.firstIndex(of: "--") ?? ordered.endIndex)
    return ordered
  }
}

/// Truth values as Go's command lines take them.
enum GoBoolean {
  /// The value; nil for any other text.
  static func value(of text: String) -> Bool? {
    switch text {
    case "1", "t", "T", "TRUE", "true", "True": true
    case "0", "f", "F", "FALSE", "false", "False": false
    default: nil
    }
  }
}
