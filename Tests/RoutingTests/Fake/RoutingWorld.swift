import IPAddressing
import Netlink
import Testing

@testable import Routing

/// A node `n1` on a fake kernel: `eth0` with 172.30.1.11/24 and fd30:1::11/64, and a reconciler that is told what to do.
final class RoutingWorld {
  static let eth0 = InterfaceIndex(2)
  static let mac = HardwareAddress(octets: [0x66, 0x93, 0x7f, 0x54, 0xd5, 0x53])

  let kernel = FakeKernel()
  var configuration: RoutingConfiguration
  var reconciler: Reconciler<FakeKernel>
  var now = ContinuousClock.now
  var last = ReconcileReport()
  /// Whether a request for a full listing is answered, by the same one.
  var answersRequests = false

  init(_ change: (inout RoutingConfiguration) -> Void = { _ in }, start: Bool = true) throws {
    var configuration = RoutingConfiguration(nodeName: "n1")
    configuration.routeRefreshInterval = 0
    change(&configuration)
    self.configuration = configuration
    kernel.add(
      Link(
        index: Self.eth0, name: "eth0", isUp: true, isRunning: true, mtu: 1500,
        hardwareAddress: HardwareAddress("02:00:00:00:00:01")))
    for (address, length) in [("172.30.1.11", 24), ("fd30:1::11", 64)] {
      kernel.addressTable.append(
        InterfaceAddress(interface: Self.eth0, address: try ip(address), prefixLength: length))
    }
    reconciler = Self.make(configuration, kernel)
    if start { try self.start() }
  }

  static func make(_ configuration: RoutingConfiguration, _ kernel: FakeKernel) -> Reconciler<FakeKernel> {
    Reconciler(
      configuration, kernel: kernel, kernelVersion: KernelVersion(6, 1), acceptedDeviceKinds: ["tun"], seed: 7)
  }

  /// Looks at the kernel, and says where this node is.
  func start() throws {
    try reconciler.start(at: now)
    reconciler.setUnderlay(try ip("172.30.1.11"), .v4)
    reconciler.setUnderlay(try ip("fd30:1::11"), .v6)
  }

  /// Another process takes over from where the kernel is.
  func restart() throws {
    reconciler = Self.make(configuration, kernel)
    kernel.queue = []
    kernel.sent = []
    kernel.dumps = []
    try start()
  }

  /// Says what is wanted, as all there is.
  @discardableResult
  func want(_ changes: DesiredChanges) throws -> ReconcileReport {
    reconciler.receive(changes)
    reconciler.receivedEverything()
    return try pass()
  }

  /// Says what is different.
  @discardableResult
  func change(_ changes: DesiredChanges) throws -> ReconcileReport {
    reconciler.receive(changes)
    return try pass()
  }

  /// One pass after the events that are there.
  @discardableResult
  func pass() throws -> ReconcileReport {
    reconciler.receive(try kernel.events(), at: now)
    last = reconciler.pass(at: now)
    if last.wantsSnapshot, answersRequests {
      reconciler.receivedEverything()
      last.nextWake = now + .milliseconds(1)
    }
    return last
  }

  /// Lets time go by, with a pass whenever one is due.
  func wait(_ duration: Duration) throws {
    let end = now + duration
    while let wake = last.nextWake, wake <= end {
      now = max(now, wake)
      try pass()
    }
    now = end
  }

  /// Passes until nothing is due at once.
  func settle() throws {
    for _ in 0..<20 {
      try pass()
      guard let wake = last.nextWake, wake <= now + .milliseconds(10) else { return }
      now = wake
    }
    Issue.record(
      "no rest: \(reconciler.pending) \(reconciler.suspects) \(reconciler.attempts) \(String(describing: reconciler.resyncDue)) \(reconciler.devices) \(reconciler.disturbances) \(reconciler.isUnsure) \(now)"
    )
  }

  func key(_ text: String) throws -> RouteKey { configuration.key(try cidr(text)) }

  /// What the kernel has for a destination, at our metric.
  func route(_ text: String) throws -> Route? { kernel.route(try key(text)) }

  func condition(_ kind: Condition.Kind, _ name: String) -> String? {
    reconciler.conditions[Condition.Subject(kind, name)]?.message
  }

  /// The route messages that were sent.
  var routeMessages: [KernelChange] {
    kernel.sent.filter {
      switch $0 {
      case .addRoute, .replaceRoute, .deleteRoute: true
      default: false
      }
    }
  }
}

func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

/// A direct route to another node of the link.
func direct(_ gateway: String, owner: String = "n2", claim: String = "10.65.2.0/26") throws -> DesiredRoute {
  let gateway = try ip(gateway)
  return DesiredRoute(
    .hop(.parent(gateway.family), gateway: gateway, isOnLink: true), owner: owner, claim: try cidr(claim))
}

/// A route through a VXLAN device.
func vxlan(_ gateway: String, owner: String = "n3", claim: String = "10.65.3.0/26") throws -> DesiredRoute {
  let gateway = try ip(gateway)
  return DesiredRoute(
    .hop(.vxlan(gateway.family), gateway: gateway, isOnLink: true), owner: owner, claim: try cidr(claim))
}

func blackhole(_ claim: String) throws -> DesiredRoute {
  DesiredRoute(.blackhole, owner: "n1", claim: try cidr(claim))
}

func vxlanDevice(_ address: String? = "10.65.1.0") throws -> DesiredDevice {
  DesiredDevice(
    address: try address.map(ip), underlay: try ip("172.30.1.11"), hardwareAddress: RoutingWorld.mac)
}

func peer(_ tunnel: String, _ mac: String, _ underlay: String) throws -> TunnelPeer {
  TunnelPeer(
    tunnelAddress: try ip(tunnel), hardwareAddress: try #require(HardwareAddress(mac)), underlay: try ip(underlay))
}
