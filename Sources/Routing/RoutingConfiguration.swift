public import IPAddressing
public import Netlink

/// How the agent routes (routes specification, appendix B). Every value has a default.
public struct RoutingConfiguration: Hashable, Sendable {
  public enum Mode: String, Hashable, Sendable, CaseIterable {
    /// Blocks of pools say who has which addresses.
    case blocks = "ipam"
    /// Each node has ranges of its own.
    case podCIDRs = "podCIDR"
  }

  /// What becomes of an unencapsulated destination whose node is not on this node's link.
  public enum OffSubnetPolicy: String, Hashable, Sendable, CaseIterable {
    case skip
    /// Through the router that leads to the node.
    case viaRouter
    /// As if the node were on the link, as Felix does.
    case onlink
  }

  public enum Toggle: String, Hashable, Sendable, CaseIterable {
    case automatic = "auto"
    case on
    case off
  }

  /// The encapsulations that pools are told apart by (section 1.2).
  public enum RouteClass: String, Hashable, Sendable, CaseIterable {
    case vxlan
    case ipip
    case unencapsulated = "noencap"
  }

  /// When removals are held back.
  public struct DeletionValve: Hashable, Sendable {
    /// The share of the present routes, in percent.
    public var percentage = 30
    /// At least as many routes.
    public var count = 50
    /// How far apart two listings that agree have to be, in seconds.
    public var confirmationSeconds = 10

    public init() {}
  }

  /// The name of this node in the datastore.
  public var nodeName: String
  public var mode = Mode.blocks
  public var routeProtocol = RouteProtocol.agent
  public var routeTable = RouteKey.mainTable
  public var routeMetricV4: UInt32 = 0
  public var routeMetricV6: UInt32 = 1024
  /// Seconds between full looks at the kernel's tables, give or take a tenth; 0 for none.
  public var routeRefreshInterval = 90
  /// Seconds until an exchange with the kernel is given up.
  public var netlinkTimeout = 10
  public var vxlanIdentifier: UInt32 = 4096
  public var vxlanPort: UInt16 = 4789
  /// In bytes; 0 for that of the parent less the overhead.
  public var vxlanMTUV4: UInt32 = 0
  public var vxlanMTUV6: UInt32 = 0
  public var ipipMTU: UInt32 = 0
  /// The source addresses of packets from this node itself; nil for the kernel's choice.
  public var sourceAddressV4: IPAddress?
  public var sourceAddressV6: IPAddress?
  public var classes = Set(RouteClass.allCases)
  public var offSubnetPolicy = OffSubnetPolicy.skip
  /// Whether what is in a pool and nowhere else is refused.
  public var poolCatchAll = false
  /// Whether this node's own ranges are blackholes, in mode ``Mode/podCIDRs``.
  public var podCIDRBlackhole = false
  /// Whether routes on tunnel devices go through nexthop objects.
  public var nextHopObjects = Toggle.automatic
  /// Whether tunnel devices are made and repaired, or only waited for.
  public var managesDevices = true
  public var ipipDevice = "tunl0"
  public var vxlanDeviceV4 = "vxlan.calico"
  public var vxlanDeviceV6 = "vxlan-v6.calico"
  /// Whether Felix's routes (protocols 80, and 3 on the VXLAN devices) are taken over.
  public var adoptsFelixRoutes = false
  /// Whether BIRD's routes (protocol 12) are taken over.
  public var adoptsBirdRoutes = false
  /// Whether the kernel or the card computes checksums on tunnel devices.
  public var tunnelChecksumOffload = Toggle.automatic
  public var deletionValve = DeletionValve()
  /// How the names of pods' interfaces begin.
  public var workloadInterfacePrefixes = ["cali"]

  public init(nodeName: String) {
    self.nodeName = nodeName
  }

  /// The metric of routes of a family.
  public func metric(_ family: AddressFamily) -> UInt32 { family == .v4 ? routeMetricV4 : routeMetricV6 }

  /// The key of the route to a destination.
  public func key(_ destination: CIDR) -> RouteKey {
    RouteKey(destination, table: routeTable, metric: metric(destination.address.family))
  }

  /// The name of a tunnel device; nil for a role that is none.
  public func deviceName(_ role: InterfaceRole) -> String? {
    switch role {
    case .ipip: ipipDevice
    case .vxlan(.v4): vxlanDeviceV4
    case .vxlan(.v6): vxlanDeviceV6
    case .parent, .interface: nil
    }
  }
}
