import ArgumentParser
import CNI

/// The same commands as a plugin of kubectl: `kubectl ipam show`.
///
/// kubectl's own words come first, so the commands below `ipam` need no second `ipam`, and the datastore is the cluster
/// that kubectl would talk to.
struct KubectlPlugin: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.kubectlPluginName,
    abstract: "Looks at the IP addresses of a cluster's pods, and repairs what went wrong.",
    discussion: """
      The datastore is the cluster that kubectl talks to: that of --kubeconfig and --context, else of KUBECONFIG or \
      ~/.kube/config. Another one, such as the etcd that a cluster keeps its addresses in, is named with --datastore or \
      --config, as for ipamctl, of which this is a second name.

      Examples:
        kubectl ipam show                         how much of each pool is in use
        kubectl ipam show --ip 10.65.0.2          who holds an address
        kubectl ipam check --context production   what does not fit together in another cluster
        kubectl ipam get ippools -o wide          the pools, with all their fields
      """,
    version: "\(Program.kubectlPluginName) \(PackageVersion.current)",
    subcommands: IPAMCommand.configuration.subcommands + sharedCommands
  )

  /// The commands that both names have: all but those about files of one host.
  static var sharedCommands: [any ParsableCommand.Type] {
    IPAMControl.configuration.subcommands.filter { $0 != IPAMCommand.self && $0 != HostLocalCommand.self }
  }
}
