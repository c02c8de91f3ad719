import ArgumentParser

/// How the commands that speak as calicoctl does print their errors: the text alone, and exit status 1 (calicoctl
/// specification, section 3.1).
enum CalicoErrorText {
  private static let commands: Set<String> = ["get", "create", "apply", "delete", "ipam", "datastore"]

  /// Whether a command line is that of such a command.
  static func concerns(_ arguments: [String]) -> Bool {
    arguments.first { !$0.hasPrefix("-") }.map(commands.contains) ?? false
  }

  /// What to print; nil for what is no error, such as a request for help, or was printed already.
  static func text(for error: any Error, _ arguments: [String]) -> String? {
    if error is ExitCode || IPAMControl.exitCode(for: error) == .success { return nil }
    let message = IPAMControl.message(for: error)
    if let option = unknownOption(message) {
      guard !option.hasPrefix("--") else { return "unknown flag: \(option)" }
      let letter = option.dropFirst().prefix(1)
      return "unknown shorthand flag: '\(letter)' in \(written(letter, arguments) ?? option)"
    }
    return message
  }

  /// `--name` of `Unknown option '--name'. Did you mean '--namespace'?`
  private static func unknownOption(_ message: String) -> String? {
    let beginning = "Unknown option '"
    guard message.hasPrefix(beginning) else { return nil }
    let rest = message.dropFirst(beginning.count)
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
    "--all-namespaces", "--allow-version-mismatch", "--apply", "--export", "--recursive", "--repair-handles",
    "--show-all-ips", "--show-blocks", "--show-borrowed", "--show-configuration", "--show-problem-ips", "--skip-empty",
    "--skip-exists", "--skip-not-exists",
  ]

  /// The arguments with `--switch=true` as `--switch`, without `--switch=false`, and with `-o=json` as `-ojson`.
  static func normalized(_ arguments: [String]) -> [String] {
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
