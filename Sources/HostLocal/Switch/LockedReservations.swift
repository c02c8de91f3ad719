public import IPAM
public import IPAddressing

/// The reservations of a network with their lock held, so that nobody reserves or releases one while they are handed
/// over to another strategy, or taken over from it.
public struct LockedReservations: ~Copyable {
  private var store: ReservationStore

  /// Opens a network's reservations and waits for their lock.
  ///
  /// - Parameters:
  ///   - network: the network's name.
  ///   - dataDirectory: the base directory.
  ///   - creating: whether a missing directory is made.
  ///   - log: takes warnings, a line each.
  /// - Returns: the reservations; nil when the network has no directory and none was to be made.
  /// - Throws: ``HostLocalError`` when the directory or its lock cannot be had.
  public static func open(
    network: String, dataDirectory: String, creating: Bool, log: @escaping @Sendable (String) -> Void
  ) throws(HostLocalError) -> LockedReservations? {
    let path = LexicalPath.joined(dataDirectory, network)
    guard
      let store = try ReservationStore.open(path, creating: creating, surroundings: StoreSurroundings(log: log))
    else { return nil }
    return LockedReservations(store: store)
  }

  /// Whether nothing is reserved.
  public var isEmpty: Bool { store.isEmpty }

  /// All reservations that are somebody's, by address.
  ///
  /// - Throws: ``HostLocalError`` when the directory cannot be read.
  public func all() throws(HostLocalError) -> [(address: IPAddress, content: ReservationContent)] {
    var found: [(address: IPAddress, content: ReservationContent)] = []
    try store.forEachReservation { address, content in
      if content != .damaged { found.append((address, content)) }
    }
    return found.sorted { $0.address < $1.address }
  }

  /// How many addresses of a network are reserved.
  ///
  /// Costs no more with 50,000 reservations than with one, as long as host-local's index is trusted.
  ///
  /// - Parameter network: the network.
  /// - Returns: their number and one of them; nil for none.
  public func reserved(in network: CIDR) -> (count: Int, example: IPAddress)? { store.reserved(in: network) }

  /// Who has reserved an address.
  ///
  /// - Parameter address: the address.
  /// - Returns: what the reservation says; nil when there is none.
  public func holder(of address: IPAddress) -> ReservationContent? { store.content(of: address) }

  /// Removes the reservation of an address.
  ///
  /// - Parameter address: the address.
  /// - Returns: false when the file cannot be removed.
  @discardableResult
  public mutating func remove(_ address: IPAddress) -> Bool { store.remove(address) }

  /// Removes everything that an attachment holds.
  ///
  /// - Parameter attachment: the container and its interface.
  /// - Throws: ``HostLocalError`` when the directory cannot be read, or a reservation cannot be removed.
  public mutating func remove(heldBy attachment: Attachment) throws(HostLocalError) {
    let holdings = try store.holdings(of: attachment)
    let exact = holdings.filter { !$0.isOldFormat }
    for holding in exact.isEmpty ? holdings : exact where !store.remove(holding) {
      let name = String(decoding: holding.name, as: UTF8.self)
      throw HostLocalError(.storeUnusable, "cannot remove the reservation \(store.path)/\(name)")
    }
  }

  /// Whether an attachment has anything reserved.
  ///
  /// - Parameter attachment: the container and its interface.
  /// - Returns: whether it has.
  /// - Throws: ``HostLocalError`` when the directory cannot be read.
  public mutating func hasReservation(of attachment: Attachment) throws(HostLocalError) -> Bool {
    try !store.holdings(of: attachment).isEmpty
  }

  /// Reserves an address.
  ///
  /// - Parameters:
  ///   - address: the address.
  ///   - attachment: for whom.
  /// - Returns: false when somebody has it.
  /// - Throws: ``HostLocalError`` when the file cannot be written.
  public mutating func reserve(_ address: IPAddress, for attachment: Attachment) throws(HostLocalError) -> Bool {
    try store.reserve(address, for: attachment)
  }

  /// Ends the work and gives the lock back.
  public consuming func finish() {
    store.finish()
  }
}
