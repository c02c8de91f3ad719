import ArgumentParser

/// `ipamctl host-local gc`
struct CollectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Releases the reservations of containers that are gone.",
    discussion: """
      Finds the dead as 'check' does, twice, some seconds apart. Only what is dead both times, and is still the same \
      file, counts. Shows what it would release; with --apply it does so, under the network's lock and after a last \
      look at the file, with a line for each that names the evidence. An address that is configured in any network \
      namespace of this host is never released.

      Exit status: 1 when not everything could be looked at, because then nothing can be taken for dead.

      Examples:
        ipamctl host-local gc
        ipamctl host-local gc --network pods --apply
        ipamctl host-local gc --interval 60 --max-releases 20 --apply --output json
      """
  )

  @OptionGroup var store: StoreOptions
  @OptionGroup var networks: NetworkOptions

  @Option(help: ArgumentHelp("Seconds between the two looks, at least 1.", valueName: "seconds"))
  var interval: UInt32 = 10

  @Option(help: ArgumentHelp("Release so many at most. Without it: all that are dead.", valueName: "count"))
  var maxReleases: Int?

  @Flag(help: "Release. Without it nothing is changed.")
  var apply = false

  func validate() throws {
    if interval < 1 { throw ValidationError("--interval must be 1 second or more.") }
    if let maxReleases, maxReleases < 1 { throw ValidationError("--max-releases must be 1 or more.") }
  }

  func run() throws { try execute(waiting: Pause.seconds).deliver() }

  /// Looks twice, and shows or releases. `wait` takes the seconds between the looks.
  func execute(waiting wait: (UInt32) throws -> Void) throws -> CommandOutcome {
    let inventory = store.inventory
    let selected = try NetworkSelection.networks(networks.names, in: inventory)
    let first = try Observation(inventory, networks: selected, roots: store.roots)
    var report = CollectionReport(first: first, second: first, budget: maxReleases)
    if !first.dead.isEmpty {
      try wait(interval)
      let second = try Observation(inventory, networks: selected, roots: store.roots)
      report = CollectionReport(first: first, second: second, budget: maxReleases)
    }
    if apply { report.released = try Release.perform(report.chosen, inventory) }
    return report.outcome(store, interval: interval)
  }
}
