import ArgumentParser
import CNI

/// The node agent.
@main
struct IPAMNode: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ipam-node",
    abstract: "Makes the addresses that pods were given reachable: one kernel route per block, kept right.",
    discussion: """
      The agent of a node computes the routes that the node should have from pools, blocks and nodes, or from a fixed \
      list of nodes, and programs them over netlink, marked with a protocol number of its own (84). Routes of others are \
      never changed, unless that is asked for.

      Every setting is a flag, an environment variable and a key of the file: --vxlan-port, IPAM_NODE_VXLAN_PORT and \
      vxlanPort. Flags overrule variables, which overrule the file. None is needed.

      Examples:
        ipam-node plan                               what would be changed on this node, and why
        ipam-node sync                               change it, once
        ipam-node run                                change it, and keep it so
        ipam-node config --config node.yaml          what holds, and where it is said
        ipam-node cleanup                            remove what the agent made
      """,
    version: "ipam-node \(PackageVersion.current)",
    subcommands: [
      RunCommand.self, SyncCommand.self, PlanCommand.self, ConfigCommand.self, CleanupCommand.self,
    ]
  )

  static func main() async {
    do {
      var command = try parseAsRoot(ToggleArguments.normalized(Array(CommandLine.arguments.dropFirst())))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      exit(withError: error)
    }
  }
}
