import CNI
import CoreMetrics
import IPAddressing
import Netlink
import Routing
import Synchronization

/// Everything that the agent measures, under the names that Prometheus sees.
final class AgentMetrics: Sendable {
  /// What the names stand for, in the order in which they are told.
  static let families: [MetricFamily] = [
    MetricFamily(name: "ipam_node_build_info", kind: .gauge, help: "Always 1; the label tells the version."),
    MetricFamily(name: "ipam_node_in_sync", kind: .gauge, help: "1 when the kernel is as desired, as /readyz says."),
    MetricFamily(name: "ipam_node_routes_desired", kind: .gauge, help: "Routes that this node should have."),
    MetricFamily(name: "ipam_node_routes_present", kind: .gauge, help: "Of those, the ones that the kernel has."),
    MetricFamily(name: "ipam_node_routes_failed", kind: .gauge, help: "Of those, the ones that it has not yet."),
    MetricFamily(
      name: "ipam_node_routes_held", kind: .gauge, help: "Of those, the ones whose place somebody else has."),
    MetricFamily(name: "ipam_node_conditions", kind: .gauge, help: "What stands in the way now, by kind; see /status."),
    MetricFamily(
      name: "ipam_node_reconcile_duration_seconds", kind: .histogram, help: "How long passes over changes took."),
    MetricFamily(name: "ipam_node_resyncs_total", kind: .counter, help: "Full looks at the kernel's tables."),
    MetricFamily(name: "ipam_node_kernel_events_total", kind: .counter, help: "Changes that the kernel told of."),
    MetricFamily(
      name: "ipam_node_kernel_event_overflows_total", kind: .counter, help: "How often such changes were lost."),
    MetricFamily(
      name: "ipam_node_route_disturbances_total", kind: .counter, help: "Routes that somebody else removed or replaced."
    ),
    MetricFamily(
      name: "ipam_node_netlink_messages_total", kind: .counter, help: "Changes that were sent to the kernel, by kind."),
    MetricFamily(
      name: "ipam_node_netlink_batches_total", kind: .counter, help: "System calls that carried those changes."),
    MetricFamily(
      name: "ipam_node_netlink_refusals_total", kind: .counter, help: "Changes that the kernel refused."),
    MetricFamily(name: "ipam_node_netlink_dumps_total", kind: .counter, help: "Tables that the kernel listed."),
    MetricFamily(
      name: "ipam_node_datastore_read_bytes_total", kind: .counter, help: "Bytes of values read from the datastore."),
    MetricFamily(
      name: "ipam_node_source_connected", kind: .gauge, help: "1 while the source of routes can be read."),
    MetricFamily(
      name: "ipam_node_watch_age_seconds", kind: .gauge,
      help: "Time since the source of routes last told something; large is well where little happens."),
  ]

  private let duration: Timer
  private let bytesRead: Counter
  private let totals: [Total: RunningTotal]
  private let routes: [AddressFamily: RouteGauges]
  private let inSync: Gauge
  private let conditions: [Condition.Kind: Gauge]
  private let connected: Gauge
  private let watchAge: Gauge

  /// What others count from their own beginning on.
  private enum Total: CaseIterable {
    case resyncs, events, overflows, disturbances, routeMessages, otherMessages, batches, refusals, dumps

    var name: String {
      switch self {
      case .resyncs: "ipam_node_resyncs_total"
      case .events: "ipam_node_kernel_events_total"
      case .overflows: "ipam_node_kernel_event_overflows_total"
      case .disturbances: "ipam_node_route_disturbances_total"
      case .routeMessages, .otherMessages: "ipam_node_netlink_messages_total"
      case .batches: "ipam_node_netlink_batches_total"
      case .refusals: "ipam_node_netlink_refusals_total"
      case .dumps: "ipam_node_netlink_dumps_total"
      }
    }

    var labels: [(String, String)] {
      switch self {
      case .routeMessages: [("kind", "route")]
      case .otherMessages: [("kind", "other")]
      default: []
      }
    }
  }

  private struct RouteGauges {
    let desired: Gauge
    let present: Gauge
    let failed: Gauge
    let held: Gauge

    init(_ family: AddressFamily, _ factory: any MetricsFactory) {
      func gauge(_ name: String) -> Gauge {
        let label = family == .v4 ? "v4" : "v6"
        return Gauge(label: "ipam_node_routes_" + name, dimensions: [("family", label)], factory: factory)
      }
      desired = gauge("desired")
      present = gauge("present")
      failed = gauge("failed")
      held = gauge("held")
    }
  }

  /// Metrics that a factory keeps.
  init(_ factory: any MetricsFactory) {
    Gauge(label: "ipam_node_build_info", dimensions: [("version", PackageVersion.current)], factory: factory).record(1)
    duration = Timer(label: "ipam_node_reconcile_duration_seconds", factory: factory)
    bytesRead = Counter(label: "ipam_node_datastore_read_bytes_total", factory: factory)
    totals = Dictionary(
      uniqueKeysWithValues: Total.allCases.map {
        ($0, RunningTotal(Counter(label: $0.name, dimensions: $0.labels, factory: factory)))
      })
    routes = [.v4: RouteGauges(.v4, factory), .v6: RouteGauges(.v6, factory)]
    inSync = Gauge(label: "ipam_node_in_sync", factory: factory)
    conditions = Dictionary(
      uniqueKeysWithValues: Condition.Kind.allCases.map { kind in
        (kind, Gauge(label: "ipam_node_conditions", dimensions: [("kind", kind.rawValue)], factory: factory))
      })
    connected = Gauge(label: "ipam_node_source_connected", factory: factory)
    watchAge = Gauge(label: "ipam_node_watch_age_seconds", factory: factory)
  }

  /// A pass over changes is over.
  func passed(_ length: Duration) {
    let (seconds, attoseconds) = length.components
    duration.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  /// Values were read from the datastore.
  func read(_ bytes: Int) { bytesRead.increment(by: bytes) }

  /// Takes over how everything is now; called when somebody asks.
  func update(_ state: AgentState) {
    let status = state.status
    for (family, gauges) in routes {
      let counts = status[family]
      gauges.desired.record(counts.desired)
      gauges.present.record(counts.present)
      gauges.failed.record(counts.failed)
      gauges.held.record(counts.held)
    }
    inSync.record(state.isReady ? 1 : 0)
    for (kind, count) in state.conditions.counts { conditions[kind]?.record(count) }
    connected.record(state.isSourceConnected ? 1 : 0)
    watchAge.record(state.watchAge)
    let (routing, netlink) = (status.statistics, state.netlink)
    let values: [Total: UInt64] = [
      .resyncs: routing.resyncs, .events: UInt64(netlink.events), .overflows: UInt64(netlink.overflows),
      .disturbances: routing.disturbances, .routeMessages: UInt64(netlink.routeMessages),
      .otherMessages: UInt64(netlink.otherMessages), .batches: UInt64(netlink.batches), .refusals: routing.refusals,
      .dumps: UInt64(netlink.dumps),
    ]
    for (total, value) in values { totals[total]?.advance(to: value) }
  }
}

/// A counter of what somebody else counts.
private final class RunningTotal: Sendable {
  private let counter: Counter
  private let told = Mutex<UInt64>(0)

  init(_ counter: Counter) { self.counter = counter }

  /// Counts what was added since. What began anew counts from 0.
  func advance(to value: UInt64) {
    told.withLock { told in
      counter.increment(by: value >= told ? value - told : value)
      told = value
    }
  }
}
