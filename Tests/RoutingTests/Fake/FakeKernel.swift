import IPAddressing
import Netlink
import Routing

/// A kernel as routes specification, section 2.2, describes it: what flags do, what deletions hit, what goes without a
/// word. Changes by ``apply(_:)`` are this process's own, and cause no events; those of ``stranger(_:)`` do.
final class FakeKernel: Kernel {
  var linkTable: [InterfaceIndex: Link] = [:]
  var addressTable: [InterfaceAddress] = []
  /// IPv4: in the order of their use. IPv6: the ways of one multipath route.
  var routeTable: [RouteKey: [Route]] = [:]
  var neighbourTable: [InterfaceIndex: [IPAddress: Neighbour]] = [:]
  var forwardingTable: [InterfaceIndex: [HardwareAddress: ForwardingEntry]] = [:]
  var objects: [UInt32: NextHop] = [:]
  var queue: [KernelEvent] = []
  var nextIndex: UInt32 = 10

  /// What the process under test sent, in order.
  var sent: [KernelChange] = []
  var dumps: [String] = []
  /// Refuses a change of the process under test, for a reason of the test's own.
  var refuse: (KernelChange) -> KernelRefusal? = { _ in nil }
  /// Looks at the tables after every single message.
  var check: () -> Void = {}
  /// Fails an exchange after so many of its messages.
  var failure: (after: Int, error: NetlinkError)?
  /// Fails dumps, by name.
  var dumpFailure: (String) -> NetlinkError? = { _ in nil }
  /// Hides a route from IPv6 dumps (R-19).
  var hides: (Route) -> Bool = { _ in false }
  var lookups: [IPAddress: RouteLookup] = [:]
  var offload: [String: Bool] = [:]

  var watched: Set<InterfaceIndex> = []

  /// Whether events are told; otherwise they are thrown away, until ``overflow()``.
  var tells = true

  init() {
    add(Link(index: InterfaceIndex(1), name: "lo", isUp: true, isRunning: true, mtu: 65536))
  }

  /// Adds a link without an event, as one that was there before.
  func add(_ link: Link) { linkTable[link.index] = link }

  func route(_ key: RouteKey) -> Route? { routeTable[key]?.first }

  func link(_ name: String) -> Link? { linkTable.values.first { $0.name == name } }

  func tell(_ event: KernelEvent) {
    if tells { queue.append(event) }
  }

  /// Throws away what was not read, as the kernel does when there is no room.
  func overflow() {
    queue = [.overflow]
  }

  // MARK: Kernel

  func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [Int: KernelRefusal] {
    var refusals: [Int: KernelRefusal] = [:]
    for (position, change) in changes.enumerated() {
      if let failure, failure.after <= position {
        self.failure = nil
        throw failure.error
      }
      sent.append(change)
      if let refusal = refuse(change) ?? make(change, isOwn: true) { refusals[position] = refusal }
      check()
    }
    return refusals
  }

  func routes(_ family: AddressFamily, table: UInt32, origin: RouteProtocol?) throws(NetlinkError) -> [Route] {
    try note("routes \(family) \(origin.map { "\($0.rawValue)" } ?? "all")")
    var found: [Route] = []
    for (key, routes) in routeTable where key.family == family && key.table == table {
      if family == .v4 {
        found += routes.filter { origin == nil || $0.origin == origin }.map(told)
      } else if var first = routes.first, origin == nil || first.origin == origin, !hides(first) {
        first.otherHops = routes.dropFirst().compactMap(\.hop)
        found.append(told(first))
      }
    }
    return found
  }

  /// A dump tells the hop of a route through an object, and a loopback interface with an IPv6 blackhole.
  private func told(_ route: Route) -> Route {
    var route = route
    if let id = route.nextHopID { route.hop = objects[id]?.hop }
    if route.kind != .unicast, route.key.family == .v6 { route.hop = RouteHop(interface: InterfaceIndex(1)) }
    return route
  }

  func links() throws(NetlinkError) -> [Link] {
    try note("links")
    return Array(linkTable.values)
  }

  func addresses() throws(NetlinkError) -> [InterfaceAddress] {
    try note("addresses")
    return addressTable
  }

  func neighbours(_ family: AddressFamily, of interface: InterfaceIndex) throws(NetlinkError) -> [Neighbour] {
    try note("neighbours \(interface)")
    return neighbourTable[interface]?.values.filter { $0.address.family == family } ?? []
  }

  func forwarding(of interface: InterfaceIndex) throws(NetlinkError) -> [ForwardingEntry] {
    try note("forwarding \(interface)")
    return forwardingTable[interface].map { Array($0.values) } ?? []
  }

  func nextHops(origin: RouteProtocol) throws(NetlinkError) -> [NextHop] {
    try note("nexthops")
    return objects.values.filter { $0.origin == origin }
  }

  func lookUp(_ address: IPAddress) throws(NetlinkError) -> RouteLookup {
    try note("lookup \(address)")
    return lookups[address] ?? .unreachable(errno: 101)
  }

  func events() throws(NetlinkError) -> [KernelEvent] {
    defer { queue = [] }
    return queue
  }

  func setTransmitChecksumOffload(_ isOn: Bool, interface name: String) throws(NetlinkError) -> Bool {
    defer { offload[name] = isOn }
    return offload[name] != isOn
  }

  func watchNeighbours(of interfaces: Set<InterfaceIndex>) throws(NetlinkError) { watched = interfaces }

  private func note(_ dump: String) throws(NetlinkError) {
    dumps.append(dump)
    if let error = dumpFailure(dump) { throw error }
  }

  // MARK: Others

  /// A change by somebody else.
  @discardableResult
  func stranger(_ change: KernelChange) -> KernelRefusal? {
    make(change, isOwn: false)
  }

  /// Somebody else adds a route without a flag that looks at the key (`CREATE` alone, or `APPEND`).
  func strangerInserts(_ route: Route, first: Bool) {
    var routes = routeTable[route.key] ?? []
    guard !routes.contains(where: { $0.hop == route.hop && $0.kind == route.kind && $0.origin == route.origin }) else {
      return
    }
    routes.insert(route, at: first && route.key.family == .v4 ? 0 : routes.count)
    routeTable[route.key] = routes
    var event = route
    if route.key.family == .v6 {
      event = routes[0]
      event.otherHops = routes.dropFirst().compactMap(\.hop)
    }
    tell(.route(event, replacesAnother: false))
  }

  private func make(_ change: KernelChange, isOwn: Bool) -> KernelRefusal? {
    switch change {
    case .addRoute(let route): put(route, replaces: false, isOwn: isOwn)
    case .replaceRoute(let route): put(route, replaces: true, isOwn: isOwn)
    case .deleteRoute(let route): delete(route, isOwn: isOwn)
    case .replaceNeighbour, .deleteNeighbour, .replaceForwarding, .deleteForwarding, .replaceNextHop, .deleteNextHop:
      makeNeighbour(change, isOwn: isOwn)
    case .createLink, .changeLink, .deleteLink, .addAddress, .deleteAddress: makeLink(change, isOwn: isOwn)
    }
  }
}
