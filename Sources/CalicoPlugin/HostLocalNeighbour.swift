import CalicoBackend
import HostLocal
import IPAddressing

/// The reservations of host-local in the same network on the same host, from which assignments have to be kept apart.
struct HostLocalNeighbour: Sendable {
  let network: String
  let dataDirectory: String
  /// The command line that adopts the reservations, for messages.
  let adoptCommand: String
  /// Takes warnings, a line each.
  let log: @Sendable (String) -> Void

  /// What has to be held until an assignment is committed.
  enum Separation: ~Copyable {
    /// There are reservations, or were: their lock.
    case reservations(LockedReservations)
    /// There is no directory for any: the marker, which nobody can remove meanwhile.
    case marker(StrategyMarker.Hold)

    consuming func finish() {
      switch consume self {
      case .reservations(let reservations): reservations.finish()
      case .marker: break
      }
    }
  }

  /// Looks that host-local has no reservation in the pools of some blocks, and sees to it that it makes none.
  ///
  /// Who reserves an address for host-local makes the directory, takes its lock and then reads the marker. So either
  /// there is a directory, and both take turns at the lock; or there is none yet, and whoever makes it finds the marker.
  /// An assignment that is refused leaves no marker: nobody would ever have had an address of it.
  ///
  /// Locks are taken in this order everywhere: the host's, the reservations', the marker's, the store's.
  ///
  /// - Parameters:
  ///   - blocks: where addresses are assigned.
  ///   - pools: the networks of all pools.
  /// - Returns: what to hold until the assignment is committed.
  /// - Throws: ``CalicoFailure`` when addresses have to be adopted first, `HostLocalError`, or what `pools` throws.
  func keepApart(_ blocks: [CIDR], pools: () async throws -> [CIDR]) async throws -> Separation {
    let marker = StrategyMarker(network: network, dataDirectory: dataDirectory)
    // Each round but the last was undone by somebody who switched the network back at that moment.
    for _ in 0..<100 {
      let opened = try LockedReservations.open(
        network: network, dataDirectory: dataDirectory, creating: false, log: log)
      if let reservations = opened {
        let known = try marker.networks()
        let unmarked = blocks.filter { block in !known.contains { $0.contains(block) } }
        if reservations.isEmpty, unmarked.isEmpty { return .reservations(reservations) }
        let networks = Self.networks(of: blocks, in: try await pools())
        for network in networks {
          if let reserved = reservations.reserved(in: network) { throw refusal(network, reserved) }
        }
        try mark(networks, beside: known, marker)
        return .reservations(reservations)
      }
      var known: [CIDR] = []
      if let hold = try marker.hold() {
        known = hold.networks
        if blocks.allSatisfy({ block in known.contains { $0.contains(block) } }) { return .marker(hold) }
      }
      // Then from the beginning: somebody may have made the directory before there was a marker to see.
      try mark(Self.networks(of: blocks, in: try await pools()), beside: known, marker)
    }
    throw CalicoFailure(
      "network \(network) is switched between host-local and calico-ipam again and again",
      details: "let one of the two have it")
  }

  private func mark(_ networks: [CIDR], beside known: [CIDR], _ marker: StrategyMarker) throws(HostLocalError) {
    for network in networks where !known.contains(where: { $0.contains(network) }) {
      try marker.add(network)
    }
  }

  /// For each block its pool, and the block itself when it is in none.
  private static func networks(of blocks: [CIDR], in pools: [CIDR]) -> [CIDR] {
    var networks: [CIDR] = []
    for block in blocks {
      let network = pools.first { $0.contains(block) } ?? block
      if !networks.contains(network) { networks.append(network) }
    }
    return networks
  }

  private func refusal(_ pool: CIDR, _ reserved: (count: Int, example: IPAddress)) -> CalicoFailure {
    CalicoFailure(
      "IP pool \(pool) overlaps \(reserved.count) live host-local reservation(s) of network \(network), such as "
        + "\(reserved.example)",
      details: "adopt them first: \(adoptCommand), or set ipam.adoptHostLocal to true")
  }
}
