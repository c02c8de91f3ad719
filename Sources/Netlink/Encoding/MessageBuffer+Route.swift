import CNetlink
import IPAddressing

extension MessageBuffer {
  mutating func appendRoute(_ route: Route, _ flags: Int32, _ sequence: UInt32) {
    begin(RTM_NEWROUTE, flags, sequence: sequence)
    // A hop and a nexthop object exclude each other, and of a multipath route each hop has flags of its own.
    let hop = route.nextHopID == nil ? route.hop : nil
    let isMultipath = !route.otherHops.isEmpty
    putRouteHeader(
      route, scope: route.scope, flags: hop?.isOnLink == true && !isMultipath ? UInt32(RTNH_F_ONLINK) : 0)
    if isMultipath, let hop {
      putMultipath([hop] + route.otherHops, family: route.key.family)
    } else if let hop {
      putHop(hop, family: route.key.family)
    }
    putMetric(route.key)
    if let source = route.preferredSource { attribute(RTA_PREFSRC.number, source) }
    if let mtu = route.mtu {
      let nest = beginNest(RTA_METRICS.number)
      attribute(RTAX_MTU, mtu)
      endNest(nest)
    }
    if let id = route.nextHopID { attribute(RTA_NH_ID.number, id) }
    end()
  }

  /// Names everything that the kernel compares, so that no other route is hit (routes specification, R-15). Metrics such
  /// as the MTU would be compared by IPv4 alone, and only with all of the others.
  mutating func appendRouteDeletion(_ route: Route, _ sequence: UInt32) {
    begin(RTM_DELROUTE, 0, sequence: sequence)
    // Scope 0 is a scope to be matched; "nowhere" is the one that matches all.
    putRouteHeader(route, scope: UInt8(RT_SCOPE_NOWHERE.rawValue), flags: 0)
    if let id = route.nextHopID {
      putMetric(route.key)
      attribute(RTA_NH_ID.number, id)
    } else {
      if let hop = route.hop { putHop(hop, family: route.key.family) }
      putMetric(route.key)
    }
    end()
  }

  /// The fixed part (`rtmsg`), the destination, and the table where it has no room in the fixed part.
  private mutating func putRouteHeader(_ route: Route, scope: UInt8, flags: UInt32) {
    let destination = route.key.destination
    put(route.key.family.number)
    put(UInt8(truncatingIfNeeded: destination.prefixLength))
    put(UInt8(0))
    put(route.key.typeOfService)
    put(UInt8(exactly: route.key.table) ?? 0)
    put(route.origin.rawValue)
    put(scope)
    put(route.kind.rawValue)
    put(flags)
    // IPv4 refuses host bits.
    attribute(RTA_DST.number, destination.network)
    if route.key.table > UInt32(UInt8.max) { attribute(RTA_TABLE.number, route.key.table) }
  }

  private mutating func putHop(_ hop: RouteHop, family: AddressFamily) {
    if let gateway = hop.gateway { putGateway(gateway, family: family) }
    if let interface = hop.interface { attribute(RTA_OIF.number, interface.rawValue) }
  }

  private mutating func putGateway(_ gateway: IPAddress, family: AddressFamily) {
    guard gateway.family != family else { return attribute(RTA_GATEWAY.number, gateway) }
    let via = beginPlainNest(RTA_VIA.number)
    put(UInt16(gateway.family.number))
    put(gateway)
    endNest(via)
    // Two octets of family and four or sixteen of address are no multiple of four.
    put(UInt16(0))
  }

  /// The ways out of a multipath route: a `rtnexthop` each.
  private mutating func putMultipath(_ hops: [RouteHop], family: AddressFamily) {
    let nest = beginPlainNest(RTA_MULTIPATH.number)
    for hop in hops {
      let place = count
      put(UInt16(0))
      put(hop.isOnLink ? UInt8(RTNH_F_ONLINK) : 0)
      put(UInt8(0))
      put(hop.interface?.rawValue ?? 0)
      if let gateway = hop.gateway { putGateway(gateway, family: family) }
      endNest(place)
    }
    endNest(nest)
  }

  /// IPv4 has no metric unless one is given. IPv6 takes none for 1024; in a deletion none would match every metric.
  private mutating func putMetric(_ key: RouteKey) {
    let metric = key.metric == 0 && key.family == .v6 ? 1024 : key.metric
    if metric != 0 { attribute(RTA_PRIORITY.number, metric) }
  }
}
