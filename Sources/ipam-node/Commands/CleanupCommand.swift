import ArgumentParser
import CNI
import IPAddressing
import Netlink
import Routing

/// `ipam-node cleanup`
struct CleanupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cleanup",
    abstract: "Removes exactly what the agent made: its routes, neighbours, next hops and tunnel devices.",
    discussion: """
      What has the agent's protocol number in the agent's table is the agent's. Stop the agent first: one that runs puts \
      everything back. Needs CAP_NET_ADMIN.

      Exit status: 0 when nothing of the agent's is left; 1 when something is, which is named.

      Examples:
        systemctl stop ipam-node && ipam-node cleanup
        ipam-node cleanup --route-protocol 85
      """
  )

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let configuration = try options.effective().values.routing
    let report: CleanupReport
    do throws(NetlinkError) {
      let kernel = try NetlinkKernel(timeout: configuration.netlinkTimeout)
      report = try NodeRouting(configuration, kernel: kernel).cleanup(at: .now)
    } catch {
      CNIStreams.ofProcess.log("ipam-node: \(error)")
      throw ExitCode.failure
    }
    print(Self.text(report))
    for left in report.left { CNIStreams.ofProcess.log("left: \(left)") }
    if !report.left.isEmpty { throw ExitCode.failure }
  }

  /// What was removed, a line each; counts at the end.
  static func text(_ report: CleanupReport) -> String {
    let routes = report.routes.sorted {
      ($0.destination.address, $0.destination.prefixLength) < ($1.destination.address, $1.destination.prefixLength)
    }
    var lines = routes.map { "removed route \($0.destination)" + ($0.metric == 0 ? "" : " metric \($0.metric)") }
    lines += report.devices.map { "removed device \($0)" }
    lines.append(
      "\(report.routes.count) routes, \(report.neighbours) neighbours, \(report.nextHops) next hops and "
        + "\(report.devices.count) devices were removed")
    return lines.joined(separator: "\n")
  }
}
