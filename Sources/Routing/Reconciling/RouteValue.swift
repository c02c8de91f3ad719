import IPAddressing
import Netlink

/// What of a route is compared with the one that is wanted, and nothing else: the kernel keeps state of its own beside it
/// (routes specification, R-16).
struct RouteValue: Hashable, Sendable {
  // In an order that leaves few gaps: there is one of these for each route.
  var gateway: IPAddress?
  var kind: RouteKind
  var origin: RouteProtocol
  var isOnLink: Bool
  /// Whether there are more ways than one, as when somebody appended one to an IPv6 route.
  var isMultipath: Bool
  var preferredSource: IPAddress?
  var interface: InterfaceIndex?
  var mtu: UInt32?
  /// A route through an object has no hop of its own here: whether a dump tells it is a setting of the kernel.
  var nextHopID: UInt32?

  init(
    kind: RouteKind,
    origin: RouteProtocol,
    gateway: IPAddress? = nil,
    interface: InterfaceIndex? = nil,
    isOnLink: Bool = false,
    mtu: UInt32? = nil,
    preferredSource: IPAddress? = nil,
    nextHopID: UInt32? = nil
  ) {
    self.kind = kind
    self.origin = origin
    self.gateway = gateway
    self.interface = interface
    self.isOnLink = isOnLink
    self.mtu = mtu
    self.preferredSource = preferredSource
    self.nextHopID = nextHopID
    isMultipath = false
  }

  /// What is compared of a route that the kernel tells of.
  init(_ route: Route) {
    let isUnicast = route.kind == .unicast
    let hop = isUnicast && route.nextHopID == nil ? route.hop : nil
    self.init(
      kind: route.kind,
      origin: route.origin,
      gateway: hop?.gateway,
      // The kernel reports the loopback interface with an IPv6 blackhole.
      interface: hop?.interface,
      isOnLink: hop?.isOnLink ?? false,
      mtu: isUnicast ? route.mtu.flatMap { $0 == 0 ? nil : $0 } : nil,
      preferredSource: isUnicast ? route.preferredSource : nil,
      nextHopID: isUnicast ? route.nextHopID : nil
    )
    isMultipath = isUnicast && !route.otherHops.isEmpty
  }

  /// The route to send to the kernel.
  func route(_ key: RouteKey) -> Route {
    var hop: RouteHop?
    if gateway != nil || interface != nil {
      hop = RouteHop(gateway: gateway, interface: interface, isOnLink: isOnLink)
    }
    // A gateway has to be looked for on the link; what has none is on the link itself. IPv6 knows no scopes.
    let isLinkScoped = kind == .unicast && gateway == nil && nextHopID == nil && key.family == .v4
    return Route(
      key,
      kind: kind,
      origin: origin,
      scope: isLinkScoped ? 253 : 0,
      hop: hop,
      mtu: mtu,
      preferredSource: preferredSource,
      nextHopID: nextHopID
    )
  }
}
