public import IPAddressing
public import Netlink

/// What this machine's own network says, as far as routes depend on it. Whoever looks at the kernel keeps it.
public struct LocalNetwork: Hashable, Sendable {
  /// The interface that has the node's own address of a family (routes specification, section 1.6).
  public struct Parent: Hashable, Sendable {
    public var index: InterfaceIndex
    public var name: String
    /// In bytes.
    public var mtu: UInt32
    /// The node's own address with the length it has on the interface, the longest if it is there more than once.
    public var address: CIDR

    public init(index: InterfaceIndex, name: String, mtu: UInt32, address: CIDR) {
      self.index = index
      self.name = name
      self.mtu = mtu
      self.address = address
    }
  }

  /// What there is of one family.
  public struct Family: Hashable, Sendable {
    /// Nil while no interface has the node's own address.
    public var parent: Parent?
    /// The routers that default routes lead to.
    public var defaultGateways: Set<IPAddress>

    public init(parent: Parent? = nil, defaultGateways: Set<IPAddress> = []) {
      self.parent = parent
      self.defaultGateways = defaultGateways
    }
  }

  public var v4: Family
  public var v6: Family
  /// All addresses that this machine has. A node that is listed with one of them is no other machine.
  public var addresses: Set<IPAddress>
  /// The kernel's answers for what ``RouteComputation/wantedLookups`` names; others do no harm.
  public var reachability: [IPAddress: Reachability]

  public init(
    v4: Family = Family(), v6: Family = Family(), addresses: Set<IPAddress> = [],
    reachability: [IPAddress: Reachability] = [:]
  ) {
    self.v4 = v4
    self.v6 = v6
    self.addresses = addresses
    self.reachability = reachability
  }

  public subscript(family: AddressFamily) -> Family {
    get { family == .v4 ? v4 : v6 }
    set { if family == .v4 { v4 = newValue } else { v6 = newValue } }
  }
}

/// How the kernel would reach an address now.
public enum Reachability: Hashable, Sendable {
  /// On the link of this interface.
  case direct(InterfaceIndex)
  /// Through a router.
  case viaRouter(IPAddress, InterfaceIndex)
  /// The address is this machine's.
  case local
  /// Not at all.
  case unreachable

  /// What an answer of the kernel comes to.
  public init(_ lookup: RouteLookup) {
    switch lookup {
    case .local: self = .local
    case .unreachable: self = .unreachable
    case .hop(let hop):
      switch (hop.gateway, hop.interface) {
      case (let gateway?, let interface?): self = .viaRouter(gateway, interface)
      case (nil, let interface?): self = .direct(interface)
      case (_, nil): self = .unreachable
      }
    }
  }
}
