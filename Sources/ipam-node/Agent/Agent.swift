import CLinux
import CNI
import CalicoBackend
import CoreMetrics
import FileSystem
import Logging
import Netlink
import Routing
import ServiceLifecycle
import UnixSignals

/// The agent, put together from its parts.
struct Agent: Sendable {
  let configuration: AgentConfiguration

  /// Routes until SIGTERM or SIGINT. Routes stay in place then.
  func run() async throws {
    // What a full listing takes for a moment would be kept for ever otherwise.
    clinux_use_memory_sparingly()
    let (format, level) = (configuration.logFormat, configuration.logLevel)
    LoggingSystem.bootstrap { LineLogHandler(label: $0, format: format, level: level) }
    let store = MetricStore()
    MetricsSystem.bootstrap(PrometheusFactory(store))
    let metrics = AgentMetrics(MetricsSystem.factory)
    let routing = Logger(label: "routing")
    let state = AgentState(
      nodeName: configuration.routing.nodeName, conditions: ConditionBoard(logger: routing))
    let services = try services(state, metrics, store)
    let logger = Logger(label: "agent")
    logger.info("ipam-node \(PackageVersion.current) routes for node \(configuration.routing.nodeName)")
    var quiet = Logger(label: "services")
    quiet.logLevel = .error
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
    try await group.run()
    logger.info("stopped; routes stay as they are")
  }

  private func services(
    _ state: AgentState, _ metrics: AgentMetrics, _ metricStore: MetricStore
  ) throws -> [any Service] {
    let inputs = AgentInputs(configuration: configuration, count: { metrics.read($0) })
    let allocates = inputs.allocatesTunnelAddresses
    let datastore = try inputs.open(isWritten: allocates)
    let store = datastore.store
    let source = inputs.source(store)
    let listener = RoutingLoop.Listener(
      refresh: { source.refresh() },
      conditionsChanged: { state.conditions.update($0) },
      passed: { status in
        if status.isInSync, !state.status.isInSync { clinux_return_free_memory() }
        state.status = status
        metrics.passed(status.lastPass)
      }
    )
    let settings = HostSettings { File.firstLine(of: "/proc/sys/net/" + $0) }
    let loop = try RoutingLoop(configuration.routing, settings: settings, listener: listener)
    var services: [any Service] = [
      RoutingService(
        loop: loop, source: source, state: state, timeout: configuration.routing.netlinkTimeout),
      SignalService(loop: loop, source: source, logger: Logger(label: "agent")),
    ]
    if allocates { services.append(tunnelAddresses(store, state.conditions)) }
    if let upgrade = datastore.upgrade {
      let logger = Logger(label: "datastore")
      services.append(HostUpgradeService(upgrade: upgrade, conditions: state.conditions, logger: logger))
    }
    if let listen = configuration.listen {
      let answers = AgentAnswers(state: state, metrics: metrics, store: metricStore, plan: { await Self.plan(loop) })
      services.append(
        HTTPService(listen: listen, logger: Logger(label: "http"), answers: { await answers.answer($0) }))
    }
    return services
  }

  private static func plan(_ loop: RoutingLoop) async -> NodePlan? {
    await withCheckedContinuation { continuation in
      loop.plan { continuation.resume(returning: try? $0.get()) }
    }
  }

  private func tunnelAddresses(_ store: MeteredDatastore, _ conditions: ConditionBoard) -> TunnelAddressService {
    let logger = Logger(label: "tunnel-addresses")
    let surroundings = Surroundings(memoryDirectory: nil, log: { logger.warning("\($0)") })
    let addresses = TunnelAddresses(store, node: configuration.routing.nodeName, surroundings: surroundings)
    return TunnelAddressService(addresses: addresses, conditions: conditions, logger: logger)
  }
}
