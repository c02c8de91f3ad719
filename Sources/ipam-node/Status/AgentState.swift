import Netlink
import Routing
import Synchronization

/// How the agent goes, for those who ask: any thread may.
final class AgentState: Sendable {
  let nodeName: String
  let conditions: ConditionBoard
  private let values = Mutex(Values())

  private struct Values {
    var status = RoutingStatus()
    var netlink = NetlinkStatistics()
    var lastTold = ContinuousClock.now
    var isSourceConnected = false
  }

  init(nodeName: String, conditions: ConditionBoard) {
    self.nodeName = nodeName
    self.conditions = conditions
  }

  /// How routing goes, as of its last pass.
  var status: RoutingStatus {
    get { values.withLock { $0.status } }
    set { values.withLock { $0.status = newValue } }
  }

  /// What was exchanged with the kernel.
  var netlink: NetlinkStatistics {
    get { values.withLock { $0.netlink } }
    set { values.withLock { $0.netlink = newValue } }
  }

  /// Whether the source of routes can be read.
  var isSourceConnected: Bool { values.withLock { $0.isSourceConnected } }

  /// Seconds since the source of routes last told something.
  var watchAge: Double {
    let age = values.withLock { ContinuousClock.now - $0.lastTold }
    return Double(age.components.seconds) + Double(age.components.attoseconds) / 1e18
  }

  /// The source of routes told something.
  func told(_ event: RouteSourceEvent) {
    values.withLock { values in
      switch event {
      case .snapshot, .changes:
        values.isSourceConnected = true
        values.lastTold = .now
      case .interrupted: values.isSourceConnected = false
      case .fault: values.lastTold = .now
      }
    }
  }

  /// Whether the kernel has what it should have, as far as that is up to the agent. It has not while the agent may change
  /// nothing.
  var isReady: Bool {
    let status = status
    return status.isInSync && !status.conditions.keys.contains { $0.kind == .notPermitted }
  }
}
