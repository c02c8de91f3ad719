import ArgumentParser
import CNI

/// The operator's tool.
@main
struct IPAMControl: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ipamctl",
    abstract: "Looks at the IP addresses that CNI plugins gave to containers, and repairs what went wrong.",
    discussion: """
      get, create, apply, replace, patch, label, delete, validate, ipam, pool and datastore are about pools, blocks and \
      handles, which calico-ipam keeps in a datastore: a file of this host, etcd or Kubernetes, found as calicoctl finds \
      it. They speak as calicoctl does. route is about what nodes send to one another. host-local is about the files of \
      the plugin of that name.

      Examples:
        ipamctl apply -f pools.yaml             create pools, nodes and reservations, or change them
        ipamctl ipam show                       how much of each pool is in use
        ipamctl ipam show --ip 10.65.0.2        who holds an address
        ipamctl pool migrate old new …          lead workloads from one pool to another, step by step
        ipamctl host-local show                 who holds which address of a node's fixed range
      """,
    version: "ipamctl \(PackageVersion.current)",
    subcommands: [
      GetCommand.self, CreateCommand.self, ApplyCommand.self, ReplaceCommand.self, PatchCommand.self,
      LabelCommand.self, DeleteCommand.self, ValidateCommand.self, IPAMCommand.self, PoolCommand.self,
      DatastoreCommand.self, RouteCommand.self, HostLocalCommand.self,
    ]
  )

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch Program.current {
    case .ipamctl: await CommandLineCall<IPAMControl>(arguments: arguments, program: .ipamctl).run()
    case .kubectlPlugin: await CommandLineCall<KubectlPlugin>(arguments: arguments, program: .kubectlPlugin).run()
    }
  }
}
