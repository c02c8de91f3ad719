import ArgumentParser

/// As what this program was called: by its own name, or as a plugin of kubectl.
enum Program: Hashable, Sendable {
  case ipamctl
  /// kubectl runs `kubectl-NAME` for `kubectl NAME`, with the rest of the command line and the user's environment.
  case kubectlPlugin

  /// The file that kubectl looks for.
  static let kubectlPluginName = "kubectl-ipam"

  /// What this process is.
  static let current = Program(called: CommandLine.arguments.first ?? "")

  /// What a path stands for, by its last component.
  init(called path: String) {
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    self = name == Self.kubectlPluginName ? .kubectlPlugin : .ipamctl
  }

  /// A text about `ipamctl` in the words of whoever typed another name: `kubectl ipam show` for `ipamctl ipam show` and
  /// `kubectl ipam get` for `ipamctl get`. What the plugin does not have stays as it is.
  func spoken(_ text: String) -> String {
    guard self == .kubectlPlugin else { return text }
    var spoken = ""
    var rest = Substring(text)
    while let range = Self.next("ipamctl ", in: rest) {
      spoken += rest[..<range.lowerBound]
      let following = rest[range.upperBound...]
      if Self.next("ipam", in: following)?.lowerBound == following.startIndex {
        // `ipamctl ipam` and `kubectl ipam` are as long as one another: what was aligned stays so.
        spoken += "kubectl "
      } else if Self.isOwn(following) {
        spoken += "kubectl ipam "
      } else {
        spoken += rest[range]
      }
      rest = following
    }
    return (spoken + rest).replacing(Self.kubectlPluginName, with: "kubectl ipam")
  }

  /// Whether a command line of ipamctl goes on with a command that the plugin has by the same name.
  private static func isOwn(_ following: Substring) -> Bool {
    let word = following.prefix { $0.isLetter || $0 == "-" }
    return KubectlPlugin.sharedCommands.contains { $0.configuration.commandName == String(word) }
  }

  private static func next(_ text: String, in rest: Substring) -> Range<Substring.Index>? {
    rest.firstRange(of: text)
  }
}
