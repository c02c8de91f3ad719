import ArgumentParser
import CNI
import CalicoBackend
import IPAddressing
import Netlink
import RouteSources
import Routing

/// `ipam-node sync`
struct SyncCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync",
    abstract: "Programs this node's routes once and ends.",
    discussion: """
      Does what 'ipam-node run' does at its start: tunnel addresses, tunnel devices, routes. Needs CAP_NET_ADMIN.

      Exit status: 0 when the kernel has every route as it should be; 1 when something could not be read or programmed, \
      which is named.

      Examples:
        ipam-node sync
        ipam-node sync --database-file /var/lib/swift-ipam/ipam.db --node-name node-1
        ipam-node sync --nodes-file nodes.yaml --mode podCIDR
      """
  )

  /// Removals that have to be confirmed wait for two listings; everything else is a matter of milliseconds.
  private static let patience = Duration.seconds(60)

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let configuration = try options.effective().values
    let report: SyncReport
    do {
      report = try await Self.synchronize(configuration)
    } catch {
      CNIStreams.ofProcess.log("ipam-node: \(error)")
      throw ExitCode.failure
    }
    for problem in report.problems { CNIStreams.ofProcess.log(problem) }
    print(report.summary)
    if !report.isGood { throw ExitCode.failure }
  }

  private static func synchronize(_ configuration: AgentConfiguration) async throws -> SyncReport {
    let inputs = AgentInputs(configuration: configuration)
    var problems: [String] = []
    let allocates = inputs.allocatesTunnelAddresses
    let datastore = try inputs.open(isWritten: allocates)
    let store = datastore.store
    if let upgrade = datastore.upgrade {
      do {
        try await upgrade.run()
      } catch {
        problems.append("Datastore affinities of this node: \(error)")
      }
    }
    if allocates {
      let surroundings = Surroundings(memoryDirectory: nil, log: { CNIStreams.ofProcess.log($0) })
      let addresses = TunnelAddresses(store, node: configuration.routing.nodeName, surroundings: surroundings)
      do {
        for change in try await addresses.reconcile().changes { print(change) }
      } catch {
        // Routes that need no tunnel are none the worse for it.
        problems.append("TunnelAddress this node: \(error)")
      }
    }
    let look = try await FirstLook.of(inputs.source(store))
    var report = SyncReport(status: try route(look, configuration))
    report.problems = problems + look.problems + report.problems
    return report
  }

  /// Makes passes until nothing is due any more that does not wait for somebody.
  private static func route(
    _ look: FirstLook, _ configuration: AgentConfiguration
  ) throws(NetlinkError) -> RoutingStatus {
    let kernel = try NetlinkKernel(timeout: configuration.routing.netlinkTimeout)
    let routing = NodeRouting(configuration.routing, kernel: kernel)
    routing.receive(.snapshot(look.topology), at: .now)
    let end = ContinuousClock.now + patience
    while true {
      let report = routing.pass(at: .now)
      let now = ContinuousClock.now
      // What is due later waits for others: a link, the next attempt, the next full look.
      guard now < end, let next = report.nextWake, next < now + .milliseconds(200) else { break }
      Pause.until(next)
    }
    return routing.status
  }
}

/// What a synchronization came to.
struct SyncReport {
  let isGood: Bool
  var problems: [String]
  let summary: String

  init(status: RoutingStatus) {
    problems = status.conditions
      .map { "\($0.key.kind.rawValue) \($0.key.name): \($0.value.message)" }.sorted()
    summary =
      "IPv4: \(Self.text(status.v4)); IPv6: \(Self.text(status.v6))"
      + (status.isInSync ? "" : "; not in sync with the kernel")
    isGood = status.isComplete
  }

  private static func text(_ counts: RouteCounts) -> String {
    var text = "\(counts.present) of \(counts.desired) routes present"
    if counts.held > 0 { text += ", \(counts.held) held by others" }
    if counts.failed > 0 { text += ", \(counts.failed) failed" }
    return text
  }
}
