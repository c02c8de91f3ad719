import ArgumentParser

/// What is done to pools while workloads use them.
struct PoolCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pool",
    abstract: "Leads workloads from one IP pool to another, step by step, with a way back.",
    discussion: """
      These are the procedures of Calico's documentation. Each shows its plan, asks, and looks at what every step led to. \
      How far it is shows in the pools themselves: any host can look at it, go on with it or back from it, also after a \
      crash.

      Examples:
        ipamctl pool migrate old new --cidr 10.66.0.0/16
        ipamctl pool resize-blocks pods 28 --temporary-cidr 10.99.0.0/16
        ipamctl pool migrate --status
        ipamctl pool migrate --undo old
      """,
    subcommands: [PoolMigrateCommand.self, PoolResizeBlocksCommand.self]
  )
}
