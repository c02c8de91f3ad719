import IPAddressing
import Netlink

/// The routes of the kernel that are ours, as last heard of.
struct RouteTable: Sendable {
  private(set) var values: [RouteKey: RouteValue] = [:]
  /// How many leave by an interface, so that what happens to any other costs nothing.
  private var byInterface: [InterfaceIndex: Int] = [:]
  /// How many go through an object: removing one that is in use would remove them.
  private var byNextHop: [UInt32: Int] = [:]
  private var byFamily: [AddressFamily: Int] = [:]
  private(set) var blackholes = 0

  var count: Int { values.count }

  func count(_ family: AddressFamily) -> Int { byFamily[family] ?? 0 }

  func count(through nextHop: UInt32) -> Int { byNextHop[nextHop] ?? 0 }

  subscript(key: RouteKey) -> RouteValue? {
    get { values[key] }
    set {
      let old = values[key]
      guard old != newValue else { return }
      if let old { count(old, key, by: -1) }
      if let newValue { count(newValue, key, by: 1) }
      values[key] = newValue
    }
  }

  /// The keys of the routes that leave by an interface, or through one of some objects.
  func keys(by interface: InterfaceIndex, or nextHops: Set<UInt32>, _ family: AddressFamily? = nil) -> [RouteKey] {
    guard byInterface[interface] != nil || nextHops.contains(where: { byNextHop[$0] != nil }) else { return [] }
    var keys: [RouteKey] = []
    for (key, value) in values where family == nil || key.family == family {
      if value.interface == interface || value.nextHopID.map(nextHops.contains) == true { keys.append(key) }
    }
    return keys
  }

  private mutating func count(_ value: RouteValue, _ key: RouteKey, by change: Int) {
    byFamily[key.family, default: 0] += change
    if value.kind == .blackhole { blackholes += change }
    if let interface = value.interface { Self.add(change, to: &byInterface, interface) }
    if let nextHop = value.nextHopID { Self.add(change, to: &byNextHop, nextHop) }
  }

  private static func add<Key: Hashable>(_ change: Int, to counts: inout [Key: Int], _ key: Key) {
    let count = (counts[key] ?? 0) + change
    counts[key] = count == 0 ? nil : count
  }
}
