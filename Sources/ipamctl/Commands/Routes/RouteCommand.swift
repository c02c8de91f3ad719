import ArgumentParser

/// What belongs to the routes between nodes.
struct RouteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "route",
    abstract: "Routes between nodes, which ipam-node keeps in the kernel: one for each block.",
    discussion: """
      Examples:
        ipamctl route show                      what this node should have, and what it has
        ipamctl route show --node node-2        what another one should have
      """,
    subcommands: [RouteShowCommand.self]
  )
}
