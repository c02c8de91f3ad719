import ArgumentParser
import HostLocal
import IPAddressing
import JSON
import Terminal

/// `ipamctl host-local show`
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Lists who holds which address.",
    discussion: """
      SINCE is when the reservation was made, in UTC. Entries of very old plugins name no interface and show '-'. An \
      entry marked (damaged) is empty: it names nobody, and the plugin reclaims it at its next ADD.

      Examples:
        ipamctl host-local show
        ipamctl host-local show --network pods --output json
        ipamctl host-local show --data-dir /run/cni-networks
      """
  )

  @OptionGroup var store: StoreOptions
  @OptionGroup var networks: NetworkOptions

  func run() throws { try execute().deliver() }

  /// Reads and lists; changes nothing.
  func execute() throws -> CommandOutcome {
    let inventory = store.inventory
    let listings = try NetworkSelection.networks(networks.names, in: inventory).map { network in
      try NetworkListing(network, in: inventory)
    }
    switch store.output {
    case .json:
      let document: JSON = [
        "dataDir": .string(inventory.dataDirectory), "networks": .array(listings.map(\.document)),
      ]
      return CommandOutcome(output: document.text)
    case .table:
      if listings.isEmpty { return CommandOutcome(output: "no networks below \(inventory.dataDirectory)") }
      var table = TextTable(["ADDRESS", "CONTAINER", "INTERFACE", "NETWORK", "SINCE"])
      for row in listings.flatMap(\.rows) { table.add(row) }
      return CommandOutcome(output: table.text + "\n\n" + listings.map(\.summary).joined(separator: "\n"))
    }
  }
}

/// One network as ``ShowCommand`` prints it.
private struct NetworkListing {
  let network: String
  let reservations: [StoredReservation]
  /// The address reserved last, by the range set's position.
  let cursors: [(set: Int, address: String)]

  init(_ network: String, in inventory: ReservationInventory) throws(CommandFailure) {
    self.network = network
    reservations = try inventory.readReservations(of: network)
    do {
      cursors = try inventory.cursors(of: network).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    } catch {
      throw CommandFailure("cannot read the cursors of network '\(network)'", error)
    }
  }

  var rows: [[String]] {
    reservations.map { [$0.address.description, $0.containerText, $0.interfaceText, network, $0.since] }
  }

  /// `pods: 3 reservations, 1 of them damaged; reserved last: 10.1.2.4 (set 0)`
  var summary: String {
    let damaged = reservations.count { $0.content == .damaged }
    let last = cursors.map { "\(PrintableText.of($0.address)) (set \($0.set))" }.joined(separator: ", ")
    return "\(network): \(reservations.count.of("reservation"))"
      + (damaged > 0 ? ", \(damaged) of them damaged" : "") + "; reserved last: " + (last.isEmpty ? "nothing" : last)
  }

  var document: JSON {
    [
      "name": .string(network),
      "cursors": .array(cursors.map { ["set": .number(JSONNumber($0.set)), "address": .string($0.address)] }),
      "reservations": .array(
        reservations.map { reservation in
          var members = reservation.members
          members["damaged"] = .bool(reservation.content == .damaged)
          members["earlierBoot"] = .bool(reservation.isFromEarlierBoot)
          return .object(members)
        }
      ),
    ]
  }
}
