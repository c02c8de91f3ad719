import CNI
import HostLocal

/// Releasing what was observed, and telling of it.
enum Release {
  /// Releases reservations that are still what was observed, network by network, and returns those that were.
  ///
  /// - Throws: ``CommandFailure`` when a network's lock cannot be had. What was released before is named.
  static func perform(
    _ items: [Observation.Item],
    _ inventory: ReservationInventory
  ) throws(CommandFailure) -> [Observation.Item] {
    var released: [Observation.Item] = []
    for network in Set(items.map(\.network)).sorted() {
      let wanted = items.filter { $0.network == network }
      do {
        let done = Set(
          try inventory.release(wanted.map(\.reservation), of: network) { CNIStreams.ofProcess.log("warning: \($0)") }
        )
        released += wanted.filter { done.contains($0.reservation) }
      } catch {
        let before = released.map { "\($0.reservation.address) of network '\($0.network)'" }
        throw CommandFailure(
          "cannot release reservations of network '\(network)'"
            + (before.isEmpty ? "" : " (released before: \(before.joined(separator: ", ")))"),
          error
        )
      }
    }
    return released
  }

  /// `released 10.1.2.3 of network 'pods': container c1, interface eth0; no runtime knows the container (…)`
  static func line(_ item: Observation.Item, isChanged: Bool) -> String {
    "\(isChanged ? "released" : "would release") \(item.reservation.address) of network '\(item.network)': "
      + "\(item.reservation.holder); \(item.verdict.liveness.rawValue): \(item.verdict.reason)"
  }
}
