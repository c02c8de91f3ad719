import HostLocal

/// The reservations of some networks as they are at one time, each with a verdict.
struct Observation {
  /// A judged reservation.
  struct Item {
    let network: String
    let reservation: StoredReservation
    let verdict: Verdict
  }

  let networks: [String]
  let items: [Item]
  let host: HostLook

  /// Reads the reservations first and looks at the host afterwards, so that a container which came into being in between
  /// is seen alive.
  init(
    _ inventory: ReservationInventory,
    networks: [String],
    roots: HostRoots
  ) throws(CommandFailure) {
    var found: [(network: String, reservation: StoredReservation)] = []
    for network in networks {
      for reservation in try inventory.readReservations(of: network) { found.append((network, reservation)) }
    }
    let host = HostLook(roots)
    self.networks = networks
    self.host = host
    items = found.map { network, reservation in
      Item(network: network, reservation: reservation, verdict: .judge(host.facts(of: reservation, in: network)))
    }
  }

  /// The reservations that look dead.
  var dead: [Item] { items.filter { $0.verdict.liveness == .dead } }

  /// How many reservations of a network look so.
  func count(_ liveness: Liveness, in network: String) -> Int {
    items.count { $0.network == network && $0.verdict.liveness == liveness }
  }
}

extension Observation.Item: Hashable {
  static func == (left: Self, right: Self) -> Bool {
    left.network == right.network && left.reservation == right.reservation
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(network)
    hasher.combine(reservation)
  }
}

extension ReservationInventory {
  /// The reservations of a network, by address.
  ///
  /// - Throws: ``CommandFailure`` when they cannot be read.
  func readReservations(of network: String) throws(CommandFailure) -> [StoredReservation] {
    do { return try reservations(of: network) } catch {
      throw CommandFailure("cannot read the reservations of network '\(network)'", error)
    }
  }
}
