import ArgumentParser
import HostLocal

/// Where the reservations are, and how the answer is printed: what all commands have in common.
struct StoreOptions: ParsableArguments {
  @Option(
    name: .customLong("data-dir"),
    help: "The directory that holds a directory for each network: 'dataDir' of the plugin's configuration.",
    completion: .directory
  )
  var dataDirectory = HostLocalConfiguration.defaultDataDirectory

  @Option(name: [.short, .long], help: "How to print the answer: as a table for people, or as JSON.")
  var output = OutputFormat.table

  /// Where the host's files are found; another place than `/` is for tests.
  @Option(name: .customLong("root"), help: .hidden)
  var root = ""

  var inventory: ReservationInventory { ReservationInventory(dataDirectory: dataDirectory) }

  var roots: HostRoots { HostRoots(prefix: root == "/" ? "" : root) }

  func validate() throws {
    if dataDirectory.isEmpty {
      throw ValidationError("--data-dir is empty; name the directory that holds the networks' directories.")
    }
  }
}

/// Which networks a command looks at.
struct NetworkOptions: ParsableArguments {
  @Option(
    name: .customLong("network"),
    help: ArgumentHelp("A network by its name; may be repeated. Without it: all networks.", valueName: "name"),
    completion: NetworkSelection.completion
  )
  var names: [String] = []

  func validate() throws {
    for name in names { try NetworkSelection.validate(name) }
  }
}
