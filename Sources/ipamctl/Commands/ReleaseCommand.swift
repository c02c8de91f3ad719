import ArgumentParser
import HostLocal
import IPAddressing
import JSON
import Terminal

/// `ipamctl host-local release`
struct ReleaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Releases reservations by hand: by address, or all of a container.",
    discussion: """
      Shows what it would release; with --apply it does so, under the network's lock. All or nothing: when one address \
      is not reserved, or is configured in a network namespace of this host, nothing is released.

      Examples:
        ipamctl host-local release 10.1.2.3 --network pods
        ipamctl host-local release 10.1.2.3 2001:db8:1::3 --network pods --apply
        ipamctl host-local release --container 5f3c9a --interface eth0 --network pods --apply
      """
  )

  @Argument(help: "Addresses to release.", transform: Self.address)
  var addresses: [IPAddress] = []

  @Option(help: ArgumentHelp("Release what this container holds.", valueName: "id"))
  var container: String?

  @Option(help: ArgumentHelp("With --container: only what this interface of it holds.", valueName: "name"))
  var interface: String?

  @Option(
    help: ArgumentHelp("The network of the reservations.", valueName: "name"), completion: NetworkSelection.completion)
  var network: String

  @Flag(help: "Release. Without it nothing is changed.")
  var apply = false

  @Flag(help: "Release even what is, or may be, in use: its address can then be given out a second time.")
  var evenIfAlive = false

  @OptionGroup var store: StoreOptions

  func validate() throws {
    try NetworkSelection.validate(network)
    if addresses.isEmpty, container == nil {
      throw ValidationError("Name what to release: addresses, or a container with --container.")
    }
    if !addresses.isEmpty, container != nil {
      throw ValidationError("Name either addresses or a container with --container, not both.")
    }
    if interface != nil, container == nil { throw ValidationError("--interface needs --container.") }
  }

  private static func address(_ text: String) throws -> IPAddress {
    guard let address = IPAddress(text) else {
      throw ValidationError("no IP address; write it without a prefix length, such as 10.1.2.3 or 2001:db8::3")
    }
    return address
  }

  func run() throws { try execute().deliver() }

  /// Shows or releases.
  func execute() throws -> CommandOutcome {
    let inventory = store.inventory
    let networks = try NetworkSelection.networks([network], in: inventory)
    let observation = try Observation(inventory, networks: networks, roots: store.roots)
    let chosen = try choose(from: observation.items)
    if !evenIfAlive { try refuseLive(chosen, observation.host) }
    guard apply else { return outcome(chosen, isChanged: false) }
    let released = try Release.perform(chosen, inventory)
    guard released.count == chosen.count else {
      let rest = chosen.filter { !released.contains($0) }.map(\.reservation.address.description)
      throw CommandFailure(
        "released \(released.count) of \(chosen.count.of("reservation")) of network '\(network)'; left alone, because they "
          + "changed meanwhile or cannot be removed: \(rest.joined(separator: ", "))"
      )
    }
    return outcome(chosen, isChanged: true)
  }

  private func choose(from items: [Observation.Item]) throws(CommandFailure) -> [Observation.Item] {
    guard let container else {
      let chosen = items.filter { addresses.contains($0.reservation.address) }
      let missing = Set(addresses).subtracting(chosen.map(\.reservation.address)).sorted()
      guard missing.isEmpty else {
        throw CommandFailure(
          "nothing was released: \(missing.map(\.description).joined(separator: ", ")) is not reserved in network "
            + "'\(network)', which has \(items.count.of("reservation")); 'ipamctl host-local show' lists them"
        )
      }
      return chosen
    }
    let ofContainer = items.filter { $0.reservation.containerID?.elementsEqual(container.utf8) == true }
    let exact = ofContainer.filter { item in
      guard let interface else { return true }
      return item.reservation.interfaceName?.elementsEqual(interface.utf8) == true
    }
    // As in DEL, an entry that names no interface counts when there is none that does.
    let chosen = exact.isEmpty ? ofContainer.filter { $0.reservation.interfaceName == nil } : exact
    guard chosen.isEmpty else { return chosen }
    let holder = "container '\(container)'" + (interface.map { ", interface '\($0)'" } ?? "")
    throw CommandFailure(
      "nothing was released: \(PrintableText.of(holder)) holds nothing in network '\(network)', which has "
        + "\(items.count.of("reservation")); 'ipamctl host-local show' lists them"
    )
  }

  private func refuseLive(_ chosen: [Observation.Item], _ host: HostLook) throws(CommandFailure) {
    let configured = chosen.compactMap { item in
      host.namespaces.holders[item.reservation.address].map { "\(item.reservation.address) is configured in the \($0)" }
    }
    guard configured.isEmpty else {
      throw CommandFailure(
        "nothing was released: \(configured.joined(separator: "; ")); end the container, or release it with "
          + "--even-if-alive"
      )
    }
    guard host.namespaces.obstacles.isEmpty else {
      throw CommandFailure(
        "nothing was released: whether the addresses are in use cannot be told, because "
          + "\(host.namespaces.obstacles.joined(separator: "; ")), or release them with --even-if-alive"
      )
    }
  }

  private func outcome(_ items: [Observation.Item], isChanged: Bool) -> CommandOutcome {
    switch store.output {
    case .json:
      let document: JSON = [
        "dataDir": .string(store.dataDirectory),
        "network": .string(network),
        "applied": .bool(isChanged),
        "reservations": .array(items.map { .object($0.members) }),
      ]
      return CommandOutcome(output: document.text)
    case .table:
      var lines = items.map { Release.line($0, isChanged: isChanged) }
      if !isChanged { lines.append("Nothing was changed; --apply releases.") }
      return CommandOutcome(output: lines.joined(separator: "\n"))
    }
  }
}
