import ArgumentParser
import CNI

/// `ipam-node run`
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Programs this node's routes and keeps them right until it is told to stop.",
    discussion: """
      SIGTERM and SIGINT end it; routes stay in place, and the next start finds them there. SIGHUP compares everything \
      with the kernel anew. SIGUSR1 lets removals happen that are held back because they are very many.

      Needs the capability CAP_NET_ADMIN. Without it the agent says so once and tries again every 30 seconds.

      Examples:
        ipam-node run
        ipam-node run --config /etc/swift-ipam/ipam-node.yaml --log-format json
        ipam-node run --nodes-file nodes.yaml --mode podCIDR --listen off
      """
  )

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let configuration = try options.effective().values
    do {
      try await Agent(configuration: configuration).run()
    } catch {
      CNIStreams.ofProcess.log("ipam-node: \(error)")
      throw ExitCode.failure
    }
  }
}
