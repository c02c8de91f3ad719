import ArgumentParser
import CNI

/// The operator's tool.
@main
struct IPAMControl: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ipamctl",
    abstract: "Looks at the IP addresses that CNI plugins gave to containers, and repairs what went wrong.",
    discussion: """
      get, create, apply, delete, ipam and datastore are about pools, blocks and handles, which calico-ipam keeps in a \
      datastore: a file of this host, etcd or Kubernetes, found as calicoctl finds it. They speak as calicoctl does. route \
      is about what nodes send to one another. host-local is about the files of the plugin of that name.
      """,
    version: "ipamctl \(PackageVersion.current)",
    subcommands: [
      GetCommand.self, CreateCommand.self, ApplyCommand.self, DeleteCommand.self, IPAMCommand.self,
      PoolCommand.self, DatastoreCommand.self, RouteCommand.self, HostLocalCommand.self,
    ]
  )

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      var command = try parseAsRoot(SwitchArguments.normalized(arguments))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      guard CalicoErrorText.concerns(arguments), let text = CalicoErrorText.text(for: error, arguments) else {
        exit(withError: error)
      }
      CNIStreams.ofProcess.log(text)
      exit(withError: ExitCode(1))
    }
  }
}
