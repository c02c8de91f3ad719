import IPAddressing
import Netlink

/// The ends of one family's VXLAN tunnels: what the device should know of its neighbours, and what it does.
///
/// Neighbours are told apart by address, forwarding entries by hardware address, and neither by the other: two nodes may
/// have the same hardware address by mistake, and both entries must be left standing.
struct PeerTable: Sendable {
  /// One thing that several nodes may claim; the first by name has it. Where only one does, as nearly always, that takes
  /// no table of its own.
  private struct Claims<Key: Hashable & Sendable, Value: Hashable & Sendable>: Sendable {
    private enum Claimed {
      case one(String, Value)
      case several([String: Value])

      var all: [String: Value] {
        switch self {
        case .one(let node, let value): [node: value]
        case .several(let values): values
        }
      }
    }

    private var claims: [Key: Claimed] = [:]

    var keys: some Sequence<Key> { claims.keys }

    subscript(key: Key) -> Value? {
      switch claims[key] {
      case nil: nil
      case .one(_, let value): value
      case .several(let values): values.min { $0.key < $1.key }?.value
      }
    }

    mutating func set(_ key: Key, _ node: String, _ value: Value?) {
      var values = claims[key]?.all ?? [:]
      values[node] = value
      if values.count == 1, let (node, value) = values.first {
        claims[key] = .one(node, value)
      } else {
        claims[key] = values.isEmpty ? nil : .several(values)
      }
    }
  }

  private(set) var peers: [String: TunnelPeer] = [:]
  private var wantedNeighbours = Claims<IPAddress, HardwareAddress>()
  private var wantedForwarding = Claims<HardwareAddress, IPAddress>()
  private var neighbours: [IPAddress: HardwareAddress] = [:]
  private var forwarding: [HardwareAddress: IPAddress] = [:]
  private var pendingNeighbours: Set<IPAddress> = []
  private var pendingForwarding: Set<HardwareAddress> = []

  var isSettled: Bool { pendingNeighbours.isEmpty && pendingForwarding.isEmpty }

  /// Takes over what a node's end is, or that there is none.
  mutating func set(_ node: String, _ peer: TunnelPeer?) {
    let old = peers[node]
    guard old != peer else { return }
    peers[node] = peer
    if let old {
      wantedNeighbours.set(old.tunnelAddress, node, nil)
      wantedForwarding.set(old.hardwareAddress, node, nil)
      pendingNeighbours.insert(old.tunnelAddress)
      pendingForwarding.insert(old.hardwareAddress)
    }
    if let peer {
      wantedNeighbours.set(peer.tunnelAddress, node, peer.hardwareAddress)
      wantedForwarding.set(peer.hardwareAddress, node, peer.underlay)
      pendingNeighbours.insert(peer.tunnelAddress)
      pendingForwarding.insert(peer.hardwareAddress)
    }
  }

  /// Forgets what the device knows: it is another one, or it is gone.
  mutating func forgetDevice() {
    forgetNeighbours()
    forwarding = [:]
    pendingForwarding.formUnion(wantedForwarding.keys)
  }

  /// Forgets the neighbours, which the kernel drops without a word in several cases (section 2.2).
  mutating func forgetNeighbours() {
    neighbours = [:]
    pendingNeighbours.formUnion(wantedNeighbours.keys)
  }

  /// Takes over what a look at the device found.
  ///
  mutating func observe(_ found: [Neighbour], _ entries: [ForwardingEntry]) {
    forgetDevice()
    for neighbour in found { observe(neighbour) }
    for entry in entries {
      guard entry.isPermanent, let destination = entry.destination, !destination.isMulticast,
        !entry.hardwareAddress.isGroup
      else { continue }
      forwarding[entry.hardwareAddress] = destination
      pendingForwarding.insert(entry.hardwareAddress)
    }
  }

  /// Takes one entry over. What has no hardware address, is for many, or comes and goes, is the kernel's.
  mutating func observe(_ neighbour: Neighbour) {
    guard !neighbour.address.isMulticast else { return }
    guard neighbour.isPermanent, let hardwareAddress = neighbour.hardwareAddress, !hardwareAddress.isGroup else {
      observeGone(neighbour.address)
      return
    }
    neighbours[neighbour.address] = hardwareAddress
    pendingNeighbours.insert(neighbour.address)
  }

  mutating func observeGone(_ address: IPAddress) {
    guard neighbours.removeValue(forKey: address) != nil else { return }
    pendingNeighbours.insert(address)
  }

  /// What is to be added or changed, before any route that needs it.
  mutating func additions(on interface: InterfaceIndex) -> [KernelChange] {
    var changes: [KernelChange] = []
    for address in pendingNeighbours.sorted() {
      guard let wanted = wantedNeighbours[address], neighbours[address] != wanted else { continue }
      changes.append(
        .replaceNeighbour(Neighbour(interface: interface, address: address, hardwareAddress: wanted)))
    }
    for address in pendingForwarding.sorted(by: { $0.number < $1.number }) {
      guard let wanted = wantedForwarding[address], forwarding[address] != wanted else { continue }
      changes.append(
        .replaceForwarding(
          ForwardingEntry(interface: interface, hardwareAddress: address, destination: wanted)))
    }
    return changes
  }

  /// What nothing needs any more, once no route does.
  func removals(on interface: InterfaceIndex) -> [KernelChange] {
    var changes: [KernelChange] = []
    for address in pendingNeighbours.sorted() where wantedNeighbours[address] == nil {
      guard let hardwareAddress = neighbours[address] else { continue }
      changes.append(
        .deleteNeighbour(Neighbour(interface: interface, address: address, hardwareAddress: hardwareAddress)))
    }
    for address in pendingForwarding.sorted(by: { $0.number < $1.number }) where wantedForwarding[address] == nil {
      guard let destination = forwarding[address] else { continue }
      changes.append(
        .deleteForwarding(
          ForwardingEntry(interface: interface, hardwareAddress: address, destination: destination)))
    }
    return changes
  }

  /// Notes that the kernel made a change.
  mutating func made(_ change: KernelChange) {
    switch change {
    case .replaceNeighbour(let neighbour): neighbours[neighbour.address] = neighbour.hardwareAddress
    case .deleteNeighbour(let neighbour): neighbours[neighbour.address] = nil
    case .replaceForwarding(let entry): forwarding[entry.hardwareAddress] = entry.destination
    case .deleteForwarding(let entry): forwarding[entry.hardwareAddress] = nil
    default: break
    }
  }

  /// Forgets what has become as it should be.
  mutating func settle() {
    pendingNeighbours = pendingNeighbours.filter { wantedNeighbours[$0] != neighbours[$0] }
    pendingForwarding = pendingForwarding.filter { wantedForwarding[$0] != forwarding[$0] }
  }
}

extension HardwareAddress {
  /// Whether it is for many, or for none.
  fileprivate var isGroup: Bool { number == 0 || number >> 40 & 1 == 1 }
}

extension IPAddress {
  fileprivate var isMulticast: Bool { family == .v4 ? number >> 28 == 0xE : number >> 120 == 0xFF }
}
