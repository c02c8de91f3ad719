import IPAddressing
import Netlink

/// The routes of the kernel that are ours, as last heard of.
struct RouteTable: Sendable {
  private(set) var values: [RouteKey: RouteValue] = [:]
  /// How many leave by an interface, so that what happens to any other costs nothing.
  private var byInterface: [InterfaceIndex: Int] = [:]
  /// How many go through an object: removing one that is in use would remove them.
  private var byNextHop: [UInt32: Int] = [:]
  private var countV4 = 0
  private(set) var blackholes = 0

  var count: Int { values.count }

  func count(_ family: AddressFamily) -> Int { family == .v4 ? countV4 : values.count - countV4 }

  func count(through nextHop: UInt32) -> Int { byNextHop[nextHop] ?? 0 }

  /// Makes room for so many more routes at once.
  mutating func reserve(_ count: Int) { values.reserveCapacity(values.count + count) }

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
    if key.family == .v4 { countV4 += change }
    if value.kind == .blackhole { blackholes += change }
    if let interface = value.interface { byInterface.count(interface, by: change) }
    if let nextHop = value.nextHopID { byNextHop.count(nextHop, by: change) }
  }
}
