public import ArgumentParser
import CNI
import CalicoBackend
import Datastore
import IPAddressing
import Netlink
import RouteReports
import RouteSources
public import Routing

/// `ipamctl route show`
struct RouteShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows the routes that a node should have, with the block and the node behind each.",
    discussion: """
      On the node itself, which is told by its own address on one of the interfaces here, each route is compared with \
      the kernel's: present, missing, different, stale (ipam-node's, and not wanted any more) or held (somebody else has \
      the destination). Of another node the datastore alone is asked; whether nodes are on one link is then judged by \
      their subnets. Options say how ipam-node is configured there, where that is not by default. Nothing is changed.

      Exit status: 0; 1 when something cannot be read.

      Examples:
        ipamctl route show
        ipamctl route show --node node-2
        ipamctl route show -o json | jq '.routes[] | select(.state != "present")'
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  @Option(
    help: ArgumentHelp("The node. By default this one.", valueName: "name"),
    completion: StoredNames.nodes)
  var node: String?

  @Option(help: "What says which node has which addresses: blocks of pools, or the ranges of nodes.")
  var mode = RoutingConfiguration.Mode.blocks

  @Option(help: "What becomes of unencapsulated destinations behind a router.")
  var offSubnetPolicy = RoutingConfiguration.OffSubnetPolicy.skip

  @Option(help: ArgumentHelp("The number by which ipam-node knows its routes.", valueName: "number"))
  var routeProtocol = RouteProtocol.agent.rawValue

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: "How to print the answer: as a table for people, or as JSON.")
  var output = OutputFormat.table

  func run() async throws {
    let session = try await datastore.read()
    var transcript = await execute(session) { () throws(NetlinkError) in try NetlinkKernel() }
    if let absence = session.store.absence { transcript.warning(absence) }
    try transcript.deliver()
  }

  /// Reads and prints; changes nothing.
  ///
  /// - Parameters:
  ///   - session: the datastore.
  ///   - kernel: makes the tables of this machine accessible.
  /// - Returns: what is to be printed.
  func execute<K: Kernel>(_ session: Session, kernel: () throws(NetlinkError) -> K) async -> Transcript {
    let name = node ?? NodeName.ofHost { CNIStreams.ofProcess.log("warning: \($0)") }
    guard !name.isEmpty else { return .failed("this host has no name; name the node with --node") }
    var configuration = RoutingConfiguration(nodeName: name)
    configuration.mode = mode
    configuration.offSubnetPolicy = offSubnetPolicy
    configuration.routeProtocol = RouteProtocol(routeProtocol)
    do {
      let look = try await FirstLook.of(DatastoreRouteSource(session.store, nodeName: name, mode: mode))
      let plan = try Self.plan(look, configuration, kernel)
      return Transcript(
        output: (output == .json ? plan.json : plan.table) + "\n",
        errors: plan.problems.map { $0 + "\n" }.joined())
    } catch {
      return .failed("\(error)")
    }
  }

  private static func plan<K: Kernel>(
    _ look: FirstLook, _ configuration: RoutingConfiguration, _ kernel: () throws(NetlinkError) -> K
  ) throws(NetlinkError) -> RoutePlan {
    let local = look.topology.nodes[configuration.nodeName]
    let kernel = try kernel()
    let own = Set([local?.v4.underlay?.address, local?.v6.underlay?.address].compactMap(\.self))
    guard try kernel.addresses().contains(where: { own.contains($0.address) }) else {
      return RoutePlan(RouteOutlook.of(look.topology, configuration), faults: look.problems)
    }
    let routing = NodeRouting(configuration, kernel: kernel)
    routing.receive(.snapshot(look.topology), at: .now)
    return RoutePlan(
      try routing.explainedPlan(at: .now), node: configuration.nodeName, faults: look.problems)
  }
}

extension RoutingConfiguration.Mode: ExpressibleByArgument {}
extension RoutingConfiguration.OffSubnetPolicy: ExpressibleByArgument {}
