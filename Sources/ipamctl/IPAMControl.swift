import ArgumentParser
import CNI

/// The operator's tool.
@main
struct IPAMControl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ipamctl",
    abstract: "Looks at the IP addresses that CNI plugins gave to containers, and repairs what went wrong.",
    version: "ipamctl \(PackageVersion.current)",
    subcommands: [HostLocalCommand.self]
  )
}
