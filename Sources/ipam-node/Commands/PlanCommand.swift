import ArgumentParser
import CNI
import JSON
import Netlink
import RouteReports
import RouteSources
import Routing

/// The forms in which a command answers.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case table
  case json
}

/// `ipam-node plan`
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Shows the routes that this node should have against those that it has, and changes nothing.",
    discussion: """
      Each route is present (as it should be), missing, different, stale (ours, and not wanted any more) or held (somebody \
      else has the destination). Needs no capability.

      Exit status: 0, whatever the plan says; 1 when something cannot be read.

      Examples:
        ipam-node plan
        ipam-node plan -o json | jq '.routes[] | select(.state != "present")'
        ipam-node plan --show-config
      """
  )

  @OptionGroup var options: ConfigurationOptions

  @Option(name: .shortAndLong, help: "How to print the answer: as a table for people, or as JSON.")
  var output = OutputFormat.table

  @Flag(help: "Print the configuration instead, as 'ipam-node config' does.")
  var showConfig = false

  func run() async throws {
    let effective = try options.effective()
    if showConfig {
      print(effective.table)
      return
    }
    do {
      let plan = try await Self.plan(effective.values)
      for problem in plan.problems { CNIStreams.ofProcess.log(problem) }
      print(output == .json ? plan.json : plan.table)
    } catch {
      CNIStreams.ofProcess.log("ipam-node: \(error)")
      throw ExitCode.failure
    }
  }

  private static func plan(_ configuration: AgentConfiguration) async throws -> RoutePlan {
    let inputs = AgentInputs(configuration: configuration)
    let look = try await FirstLook.of(inputs.source(inputs.open(isWritten: false).store))
    return try compare(look, configuration)
  }

  private static func compare(
    _ look: FirstLook, _ configuration: AgentConfiguration
  ) throws(NetlinkError) -> RoutePlan {
    let kernel = try NetlinkKernel(timeout: configuration.routing.netlinkTimeout)
    let routing = NodeRouting(configuration.routing, kernel: kernel)
    routing.receive(.snapshot(look.topology), at: .now)
    return RoutePlan(
      try routing.explainedPlan(at: .now), node: configuration.routing.nodeName, faults: look.problems)
  }
}
