public import IPAddressing
public import Netlink

/// The kernel's network tables: the real ones, or a test's.
///
/// One thread uses it. Every read is a dump of its own, and every error is told.
public protocol Kernel: AnyObject {
  /// Makes changes in their order, all in as few messages as possible; a refused one does not stop the rest.
  ///
  /// - Returns: the refusals, by position; what is not named was done.
  /// - Throws: ``NetlinkError`` when the outcome of some is not known.
  func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [Int: KernelRefusal]

  /// The routes of a table, of one protocol or of all. An IPv6 dump may miss some or tell them twice while others
  /// change routes.
  func routes(_ family: AddressFamily, table: UInt32, origin: RouteProtocol?) throws(NetlinkError) -> [Route]
  func links() throws(NetlinkError) -> [Link]
  func addresses() throws(NetlinkError) -> [InterfaceAddress]
  func neighbours(_ family: AddressFamily, of interface: InterfaceIndex) throws(NetlinkError) -> [Neighbour]
  func forwarding(of interface: InterfaceIndex) throws(NetlinkError) -> [ForwardingEntry]
  func nextHops(origin: RouteProtocol) throws(NetlinkError) -> [NextHop]

  /// Where a packet to an address would go.
  func lookUp(_ address: IPAddress) throws(NetlinkError) -> RouteLookup

  /// What happened since, without waiting; changes of this process itself are left out.
  func events() throws(NetlinkError) -> [KernelEvent]

  /// Chooses the interfaces whose neighbours ``events()`` tells of; none at first, because on a busy link they come and
  /// go all the time.
  func watchNeighbours(of interfaces: Set<InterfaceIndex>) throws(NetlinkError)

  /// Switches the checksum offload of a device; true when it was another before.
  func setTransmitChecksumOffload(_ isOn: Bool, interface name: String) throws(NetlinkError) -> Bool
}

extension Kernel {
  /// For kernels that tell of every neighbour, or of none.
  public func watchNeighbours(of interfaces: Set<InterfaceIndex>) throws(NetlinkError) {}
}
