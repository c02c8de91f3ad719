import ArgumentParser
import JSON
import Terminal

/// `ipamctl host-local check`
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Tells which reservations look dead, and why.",
    discussion: """
      A reservation is alive when its address is configured in any network namespace of this host, or when a runtime \
      knows its container. It is dead when neither is so and there is proof: it was recorded in an earlier boot, its \
      network namespace is gone, or the runtimes of this host do not know the container. Whatever cannot be decided is \
      unknown, and so is everything while a namespace cannot be looked into: run it as root, on the host itself.

      Exit status: 0 when nothing looks dead or damaged, 1 otherwise. Nothing is changed.

      Examples:
        ipamctl host-local check
        ipamctl host-local check --network pods --output json
      """
  )

  @OptionGroup var store: StoreOptions
  @OptionGroup var networks: NetworkOptions

  func run() throws { try execute().deliver() }

  /// Looks at everything; changes nothing.
  func execute() throws -> CommandOutcome {
    let inventory = store.inventory
    let selected = try NetworkSelection.networks(networks.names, in: inventory)
    let observation = try Observation(inventory, networks: selected, roots: store.roots)
    let hasFindings = observation.items.contains { [.dead, .damaged].contains($0.verdict.liveness) }
    return CommandOutcome(
      output: store.output == .json ? document(observation).text : table(observation),
      diagnostics: observation.warnings,
      status: hasFindings ? 1 : 0
    )
  }

  private func table(_ observation: Observation) -> String {
    if observation.networks.isEmpty { return "no networks below \(store.dataDirectory)" }
    var table = TextTable(Observation.headings)
    for item in observation.items { table.add(item.row) }
    var lines = [table.text, ""]
    for network in observation.networks {
      let counts = Liveness.allCases.map { "\(observation.count($0, in: network)) \($0.rawValue)" }
      lines.append("\(network): \(counts.joined(separator: ", "))")
    }
    if !observation.dead.isEmpty { lines.append("'ipamctl host-local gc' lists what can be released.") }
    return lines.joined(separator: "\n")
  }

  private func document(_ observation: Observation) -> JSON {
    let networks = observation.networks.map { network -> JSON in
      let counts = Liveness.allCases.map {
        JSONObject.Member(key: $0.rawValue, value: .number(JSONNumber(observation.count($0, in: network))))
      }
      let items = observation.items.filter { $0.network == network }
      return [
        "name": .string(network),
        "counts": .object(JSONObject(counts)),
        "reservations": .array(items.map { .object($0.members) }),
      ]
    }
    return [
      "dataDir": .string(store.dataDirectory), "host": observation.hostDocument, "networks": .array(networks),
    ]
  }
}
