/// Toggles as people also write them: `--manage-devices=false`.
enum ToggleArguments {
  /// The arguments with `--toggle=true` as `--toggle`, and `--toggle=false` as `--no-toggle`.
  static func normalized(_ arguments: [String]) -> [String] {
    let toggles = Set(Setting.all.filter { $0.form == .toggle }.map(\.name.flag))
    return arguments.map { argument in
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, toggles.contains(parts[0]) else { return argument }
      switch parts[1] {
      case "true", "on", "yes", "1": return parts[0]
      case "false", "off", "no", "0": return "--no-" + parts[0].dropFirst(2)
      default: return argument
      }
    }
  }
}
