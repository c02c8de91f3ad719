import IPAddressing
import JSON
import Logging
import Netlink
import Routing

extension Setting {
  /// Every setting there is, in the order in which they are explained.
  static let all = agent + datastore + routes + tunnels + coexistence

  private static let agent: [Setting] = [
    .text(
      "node-name", .agent, \.routing.nodeName, called: "name",
      """
      The name of this node in the datastore. Without it the name is what /var/lib/calico/nodename says, the \
      environment's NODENAME, or the host's name in lower case.
      """),
    .choice(
      "mode", .agent, \.routing.mode,
      "What says where addresses are: ipam for blocks of pools, podCIDR for one fixed range per node."),
    .text(
      "nodes-file", .agent, \.nodesFile, called: "path",
      "A list of nodes and their ranges, in YAML or JSON, that takes the datastore's place; read again when it changes."
    ),
    .toggle(
      "allocate-tunnel-addresses", .agent, \.allocatesTunnelAddresses,
      "Give this node its addresses on tunnels, from the pools that ask for tunnels, and write them to its Node."),
    .duration(
      "borrowed-listing-interval", .agent, \.borrowedListingInterval, 10...86_400,
      """
      How often other nodes' blocks are looked through for addresses that a third node uses, give or take a fifth. \
      Under strict affinity there are none, and nobody looks.
      """),
    .listen,
    .choice("log-level", .agent, \.logLevel, "What is worth a line on stderr."),
    .choice("log-format", .agent, \.logFormat, "Lines for people, or one JSON object a line."),
  ]

  private static let routes: [Setting] = [
    .routeProtocol,
    .number(
      "route-table", .routes, \.routing.routeTable, 1...UInt32.max,
      "The table of the routes. Packets find the routes in another than the main one, 254, only by rules of yours."),
    .number(
      "route-metric-v4", .routes, \.routing.routeMetricV4, 0...(UInt32.max - 1), "The metric of IPv4 routes."),
    .number(
      "route-metric-v6", .routes, \.routing.routeMetricV6, 1...(UInt32.max - 1), "The metric of IPv6 routes."),
    .duration(
      "route-refresh-interval", .routes, \.routing.routeRefreshInterval, 0...86_400,
      "How often the kernel's table is read as a whole, in case an event was missed; 0s for never."),
    .duration(
      "netlink-timeout", .routes, \.routing.netlinkTimeout, 1...600, "When an exchange with the kernel is given up."),
    .address(
      "route-source-address-v4", .routes, \.routing.sourceAddressV4, .v4,
      "The source of packets that this node itself sends along the routes. It must be an address of this node."),
    .address(
      "route-source-address-v6", .routes, \.routing.sourceAddressV6, .v6, "The same for IPv6."),
    .choices(
      "program-classes", .routes, \.routing.classes, "Which pools get routes, by their encapsulation."),
    .choice(
      "off-subnet-policy", .routes, \.routing.offSubnetPolicy,
      """
      What becomes of an unencapsulated pool's routes to a node that is not on this node's subnet: none and a condition \
      in the status, a route by way of the router to that node, or one as if the node were on the subnet (as Felix does).
      """),
    .toggle(
      "pool-catch-all", .routes, \.routing.poolCatchAll,
      """
      Refuse packets for addresses of a pool that no block has, in place of sending them to the default gateway. Must \
      stay off where BIRD runs with Calico's templates: it would announce whole pools.
      """),
    .toggle(
      "pod-cidr-blackhole", .routes, \.routing.podCIDRBlackhole,
      "In mode podCIDR, let packets for unused addresses of this node's own ranges vanish."),
    .number(
      "deletion-valve-percentage", .routes, \.routing.deletionValve.percentage, 1...100,
      """
      Removing more than this share of the present routes at once, or all blackholes, waits until two full readings of \
      the datastore agree.
      """),
    .number(
      "deletion-valve-count", .routes, \.routing.deletionValve.count, 0...Int(Int32.max),
      "As many removals at once never wait for that."),
    .duration(
      "deletion-valve-confirmation", .routes, \.routing.deletionValve.confirmationSeconds, 1...3600,
      "How far apart those two readings are at least."),
  ]

  private static let tunnels: [Setting] = [
    .toggle(
      "manage-devices", .tunnels, \.routing.managesDevices,
      "Make and repair tunnel devices; otherwise wait for somebody else to do it."),
    .device("ipip-device", .tunnels, \.routing.ipipDevice, "The name of the IPIP device."),
    .device("vxlan-device-v4", .tunnels, \.routing.vxlanDeviceV4, "The name of the VXLAN device for IPv4."),
    .device("vxlan-device-v6", .tunnels, \.routing.vxlanDeviceV6, "The name of the VXLAN device for IPv6."),
    .number(
      "vxlan-vni", .tunnels, \.routing.vxlanIdentifier, 1...0xFF_FFFF,
      "The network identifier of VXLAN; the same on all nodes."),
    .number(
      "vxlan-port", .tunnels, \.routing.vxlanPort, 1...UInt16.max, "The UDP port of VXLAN; the same on all nodes."),
    .mtu("vxlan-mtu", \.routing.vxlanMTUV4, "The MTU of VXLAN for IPv4; 0 for 50 less than the node's interface has."),
    .mtu("vxlan-mtu-v6", \.routing.vxlanMTUV6, "The MTU of VXLAN for IPv6; 0 for 70 less."),
    .mtu("ipip-mtu", \.routing.ipipMTU, "The MTU of IPIP; 0 for 20 less."),
    .choice(
      "use-nexthop-objects", .tunnels, \.routing.nextHopObjects,
      "Let routes on tunnels share one next hop per node; auto does so for more than 256 nodes."),
    .choice(
      "tunnel-tx-checksum", .tunnels, \.routing.tunnelChecksumOffload,
      "Leave checksums of tunnelled packets to the card; auto does not on kernels up to 5.7."),
  ]

  private static let coexistence: [Setting] = [
    .toggle(
      "adopt-felix-tunnel-routes", .coexistence, \.routing.adoptsFelixRoutes,
      "Take over Felix's routes: protocol 80, and 3 on the VXLAN devices."),
    .toggle(
      "adopt-bird-tunnel-routes", .coexistence, \.routing.adoptsBirdRoutes, "Take over BIRD's routes: protocol 12."),
    .texts(
      "workload-interface-prefixes", .coexistence, \.routing.workloadInterfacePrefixes, called: "prefix,...",
      "How the names of pods' interfaces begin: an address that has a route there is not sent to another node."),
  ]

  // MARK: Settings with rules of their own

  private static func mtu(_ name: String, _ place: Place<UInt32>, _ help: String) -> Setting {
    Setting.number(name, .tunnels, place, 0...65_535, called: "bytes", help)
      .checked { configuration in
        // The least that IPv6 works with is 1280, IPv4's 576; below that nobody means it.
        let value = configuration[keyPath: place]
        return value == 0 || value >= 576 ? nil : "\(value) is less than any network's MTU; use 0, or 576 and more"
      }
  }

  private static let listen = Setting(
    name: SettingName("listen"), section: .agent, form: .value("address:port|off"),
    help: "Where /livez, /readyz, /status, /routes and /metrics are answered.",
    take: { given, configuration throws(Problem) in
      guard let text = word(given) else { throw .expected("an address with a port, or off", given) }
      if text == "off" {
        configuration.listen = nil
        return
      }
      guard let address = ListenAddress(text) else {
        throw .expected("an address with a port, such as 127.0.0.1:9098 or [::1]:9098, or off", given)
      }
      configuration.listen = address
    },
    value: { .string($0.listen.map { "\($0)" } ?? "off") }
  )

  private static let routeProtocol = Setting.number(
    "route-protocol", .routes, \.routing.routeProtocol.number, 0...UInt8.max,
    """
    The number that marks the agent's routes: what has it is the agent's to change and to remove. 80 is Felix's, and needs \
    --adopt-felix-tunnel-routes.
    """
  ).checked { configuration in
    let number = configuration.routing.routeProtocol
    guard let owner = ReservedProtocol.owner(of: number) else { return nil }
    return "\(number.rawValue) marks routes of \(owner), which the agent would take for its own; "
      + "choose another, such as \(RouteProtocol.agent.rawValue)"
  }

  /// The setting with one more rule, which tells what is wrong with a configuration that has the value.
  private func checked(_ rule: @escaping @Sendable (AgentConfiguration) -> String?) -> Setting {
    let take = take
    return Setting(
      name: name, section: section, form: form, help: help,
      take: { given, configuration throws(Problem) in
        var changed = configuration
        try take(given, &changed)
        if let problem = rule(changed) { throw Problem(problem) }
        configuration = changed
      },
      value: value, calicoVariable: calicoVariable, isSecret: isSecret
    )
  }
}

extension RouteProtocol {
  /// The number, to be set.
  fileprivate var number: UInt8 {
    get { rawValue }
    set { self = RouteProtocol(newValue) }
  }
}
