import ArgumentParser

/// What belongs to the reservations of host-local.
struct HostLocalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host-local",
    abstract: "Reservations that the plugin host-local keeps in files on this host.",
    discussion: """
      Works on the directories of this package's host-local and of the original alike, while the plugin runs.

      Examples:
        ipamctl host-local show                 who holds which address
        ipamctl host-local check                which reservations look dead, and why
        ipamctl host-local gc                   what would be released as dead
        ipamctl host-local gc --apply           release it
        ipamctl host-local adopt --network N    what calico-ipam would hand over, on the way back
      """,
    subcommands: [
      ShowCommand.self, CheckCommand.self, ReleaseCommand.self, CollectCommand.self, AdoptCommand.self,
    ]
  )
}
