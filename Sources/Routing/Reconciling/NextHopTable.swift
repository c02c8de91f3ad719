import IPAddressing
import Netlink

/// A gateway behind a tunnel device.
struct TunnelHop: Hashable, Sendable {
  var role: InterfaceRole
  var gateway: IPAddress
}

/// The nexthop objects: which gateway has which number, and which of them the kernel has (routes specification, R-28).
struct NextHopTable: Sendable {
  /// The numbers that are ours: 2^20 of them, from here.
  static let firstID: UInt32 = 0x5000_0000
  private static let limit: UInt32 = 1 << 20

  private var ids: [TunnelHop: UInt32] = [:]
  private var hops: [UInt32: TunnelHop] = [:]
  private var free: [UInt32] = []
  private var next = firstID
  /// What the kernel has.
  private(set) var present: [UInt32: RouteHop] = [:]
  /// The numbers that may have to go.
  private var unwanted: Set<UInt32> = []

  static func isOurs(_ id: UInt32) -> Bool { id >= firstID && id - firstID < limit }

  /// The number of a gateway, a new one if it has none; nil when all are in use.
  mutating func id(for hop: TunnelHop) -> UInt32? {
    if let id = ids[hop] {
      unwanted.discard(id)
      return id
    }
    while let id = free.popLast() {
      if hops[id] == nil, present[id] == nil { return assign(id, to: hop) }
    }
    while next - Self.firstID < Self.limit {
      let id = next
      next += 1
      if hops[id] == nil, present[id] == nil { return assign(id, to: hop) }
    }
    return nil
  }

  private mutating func assign(_ id: UInt32, to hop: TunnelHop) -> UInt32 {
    ids[hop] = id
    hops[id] = hop
    return id
  }

  /// Takes over what the kernel has: an object for a gateway keeps its number, so that routes through it stay as they
  /// are.
  mutating func observe(_ found: [NextHop], role: (InterfaceIndex) -> InterfaceRole?) {
    present = [:]
    for object in found.sorted(by: { $0.id < $1.id }) where Self.isOurs(object.id) {
      observe(object, role: role)
    }
  }

  mutating func observe(_ object: NextHop, role: (InterfaceIndex) -> InterfaceRole?) {
    guard Self.isOurs(object.id) else { return }
    present[object.id] = object.hop ?? RouteHop()
    guard hops[object.id] == nil else { return }
    if let gateway = object.hop?.gateway, let role = object.hop?.interface.flatMap(role) {
      let hop = TunnelHop(role: role, gateway: gateway)
      if ids[hop] == nil { _ = assign(object.id, to: hop) }
    }
    unwanted.insert(object.id)
  }

  mutating func observeGone(_ id: UInt32) {
    present[id] = nil
  }

  /// The objects of an interface, which the kernel drops with it.
  func ids(on interface: InterfaceIndex) -> Set<UInt32> {
    Set(present.filter { $0.value.interface == interface }.keys)
  }

  mutating func forget(_ gone: Set<UInt32>) {
    for id in gone { present[id] = nil }
  }

  /// Notes that nobody wants a gateway any more.
  mutating func release(_ hop: TunnelHop) {
    guard let id = ids[hop] else { return }
    unwanted.insert(id)
  }

  /// Notes that no gateway is to have an object any more.
  mutating func releaseAll() {
    unwanted.formUnion(hops.keys)
  }

  mutating func made(_ id: UInt32, _ hop: RouteHop) {
    present[id] = hop
  }

  /// The numbers that nothing wants, of those that may have to go.
  ///
  /// - Parameter isWanted: whether a route that should be there goes to the gateway.
  /// - Returns: the numbers, in ascending order.
  func removals(isWanted: (TunnelHop) -> Bool) -> [UInt32] {
    unwanted.filter { id in hops[id].map { !isWanted($0) } ?? true }.sorted()
  }

  /// Gives a number back.
  mutating func removed(_ id: UInt32) {
    present[id] = nil
    unwanted.remove(id)
    guard let hop = hops.removeValue(forKey: id) else { return }
    ids[hop] = nil
    free.append(id)
  }

  /// Forgets the question for those that are wanted after all.
  mutating func settle(isWanted: (TunnelHop) -> Bool) {
    unwanted = unwanted.filter { id in hops[id].map { !isWanted($0) } ?? true }
  }
}
