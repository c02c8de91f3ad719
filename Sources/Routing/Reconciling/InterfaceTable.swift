import IPAddressing
import Netlink

/// The interfaces of this machine and their addresses, as last heard of.
struct InterfaceTable: Sendable {
  private(set) var links: [InterfaceIndex: Link] = [:]
  private var indexes: [String: InterfaceIndex] = [:]
  private(set) var addresses: [InterfaceIndex: [InterfaceAddress]] = [:]

  subscript(index: InterfaceIndex) -> Link? { links[index] }

  subscript(name: String) -> Link? { indexes[name].flatMap { links[$0] } }

  /// Takes a link over; the one that was known before.
  mutating func update(_ link: Link) -> Link? {
    let old = links.updateValue(link, forKey: link.index)
    // A name may have gone to another device meanwhile.
    if let old, old.name != link.name, indexes[old.name] == link.index { indexes[old.name] = nil }
    indexes[link.name] = link.index
    return old
  }

  mutating func remove(_ index: InterfaceIndex) -> Link? {
    addresses[index] = nil
    guard let old = links.removeValue(forKey: index) else { return nil }
    if indexes[old.name] == index { indexes[old.name] = nil }
    return old
  }

  /// Takes an address over; false when it was known.
  mutating func add(_ address: InterfaceAddress) -> Bool {
    guard addresses[address.interface]?.contains(where: { $0.isSame(as: address) }) != true else { return false }
    addresses[address.interface, default: []].append(address)
    return true
  }

  /// Forgets an address; false when it was not known.
  mutating func remove(_ address: InterfaceAddress) -> Bool {
    guard let position = addresses[address.interface]?.firstIndex(where: { $0.isSame(as: address) }) else {
      return false
    }
    addresses[address.interface]?.remove(at: position)
    return true
  }

  func hasAddress(_ family: AddressFamily, on index: InterfaceIndex) -> Bool {
    addresses[index]?.contains { $0.address.family == family } ?? false
  }

  /// All addresses of this machine.
  var allAddresses: Set<IPAddress> { Set(addresses.values.joined().map(\.address)) }

  /// The interface with an address: one that is up, if several have it (routes specification, section 1.6).
  func interface(with address: IPAddress) -> (link: Link, address: InterfaceAddress)? {
    var found: (link: Link, address: InterfaceAddress)?
    for (index, list) in addresses {
      guard let match = list.filter({ $0.address == address }).max(by: { $0.prefixLength < $1.prefixLength }),
        let link = links[index]
      else { continue }
      if let found, (found.link.isUp ? 0 : 1, found.link.index) <= (link.isUp ? 0 : 1, index) { continue }
      found = (link, match)
    }
    return found
  }
}

extension InterfaceAddress {
  /// The kernel tells addresses of an interface apart by number and length.
  fileprivate func isSame(as other: InterfaceAddress) -> Bool {
    address == other.address && prefixLength == other.prefixLength
  }

  /// An IPv6 address that the kernel gives each link itself.
  var isLinkLocal: Bool { address.family == .v6 && address.number >> 118 == 0x3FA }
}
