/// The name of a setting, in the three places where it can be given.
struct SettingName: Hashable, Sendable, CustomStringConvertible {
  /// How the names of all environment variables begin.
  static let variablePrefix = "IPAM_NODE_"
  /// Words that are written in capitals inside a key.
  private static let acronyms: Set<Substring> = ["api", "ca", "cidr", "mtu", "qps", "tls", "v4", "v6", "vni"]

  /// The words, as the flag has them: `vxlan-mtu-v6`.
  let words: String

  init(_ words: String) { self.words = words }

  /// On the command line: `--vxlan-mtu-v6`.
  var flag: String { "--" + words }

  /// In a file: `vxlanMTUV6`.
  var key: String {
    let parts = words.split(separator: "-")
    let rest = parts.dropFirst().map { word in
      Self.acronyms.contains(word) ? word.uppercased() : word.prefix(1).uppercased() + word.dropFirst()
    }
    return (parts.first.map(String.init) ?? "") + rest.joined()
  }

  /// In the environment: `IPAM_NODE_VXLAN_MTU_V6`.
  var variable: String { Self.variablePrefix + words.uppercased().split(separator: "-").joined(separator: "_") }

  var description: String { key }
}
