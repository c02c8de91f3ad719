import ArgumentParser

/// `ipam-node config`
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Prints every setting with its value and where that is said, and changes nothing.",
    discussion: """
      Exit status: 0; 78 when something is wrong with a setting.

      Examples:
        ipam-node config
        IPAM_NODE_VXLAN_PORT=8472 ipam-node config --config /etc/swift-ipam/ipam-node.yaml
      """
  )

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    print(try options.effective().table)
  }
}
