import IPAddressing
import Netlink
import Routing

/// The kernel, and what is exchanged with it told after every exchange.
final class MeteredKernel: Kernel {
  private let kernel: NetlinkKernel
  private let report: (NetlinkStatistics) -> Void

  /// Opens the kernel's tables.
  init(timeout: Int, report: @escaping (NetlinkStatistics) -> Void) throws(NetlinkError) {
    kernel = try NetlinkKernel(timeout: timeout)
    self.report = report
  }

  /// The descriptor that can be read when there are events.
  var eventDescriptor: CInt { kernel.eventDescriptor }

  private func metered<Value>(
    _ exchange: (NetlinkKernel) throws(NetlinkError) -> Value
  ) throws(NetlinkError) -> Value {
    defer { report(kernel.statistics) }
    return try exchange(kernel)
  }

  func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [Int: KernelRefusal] {
    try metered { kernel throws(NetlinkError) in try kernel.apply(changes) }
  }

  func routes(_ family: AddressFamily, table: UInt32, origin: RouteProtocol?) throws(NetlinkError) -> [Route] {
    try metered { kernel throws(NetlinkError) in try kernel.routes(family, table: table, origin: origin) }
  }

  func links() throws(NetlinkError) -> [Link] {
    try metered { kernel throws(NetlinkError) in try kernel.links() }
  }

  func addresses() throws(NetlinkError) -> [InterfaceAddress] {
    try metered { kernel throws(NetlinkError) in try kernel.addresses() }
  }

  func neighbours(_ family: AddressFamily, of interface: InterfaceIndex) throws(NetlinkError) -> [Neighbour] {
    try metered { kernel throws(NetlinkError) in try kernel.neighbours(family, of: interface) }
  }

  func forwarding(of interface: InterfaceIndex) throws(NetlinkError) -> [ForwardingEntry] {
    try metered { kernel throws(NetlinkError) in try kernel.forwarding(of: interface) }
  }

  func nextHops(origin: RouteProtocol) throws(NetlinkError) -> [NextHop] {
    try metered { kernel throws(NetlinkError) in try kernel.nextHops(origin: origin) }
  }

  func lookUp(_ address: IPAddress) throws(NetlinkError) -> RouteLookup { try kernel.lookUp(address) }

  func watchNeighbours(of interfaces: Set<InterfaceIndex>) throws(NetlinkError) {
    try kernel.watchNeighbours(of: interfaces)
  }

  func events() throws(NetlinkError) -> [KernelEvent] {
    try metered { kernel throws(NetlinkError) in try kernel.events() }
  }

  func setTransmitChecksumOffload(_ isOn: Bool, interface name: String) throws(NetlinkError) -> Bool {
    try kernel.setTransmitChecksumOffload(isOn, interface: name)
  }
}
