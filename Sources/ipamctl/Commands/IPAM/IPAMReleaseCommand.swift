import ArgumentParser
import CalicoEngine
import CalicoModel
import IPAddressing

/// `ipamctl ipam release`
struct IPAMReleaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Releases one address, whoever holds it.",
    discussion: """
      Nothing is asked about the container: if it is alive, two containers will have the address some day. \
      'ipamctl ipam gc' releases what is known to be dead. Where a cool-down is configured the address is not free \
      before it ends.

      Exit status: 0 when it was released, 1 otherwise.

      Example:
        ipamctl ipam release --ip 10.65.0.2
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  @Option(help: ArgumentHelp("The address.", valueName: "address"))
  var ip: String

  func run() async throws {
    // A limit for programs that run for ever is none for a person who waits (front-end specification, section 7.6).
    try await execute(datastore.open(writes: true, queriesPerSecond: 100)).deliver()
  }

  func execute(_ session: Session) async throws -> Transcript {
    guard let address = IPAddress(ip) else { return .invalidAddress(ip) }
    do {
      let result = try await session.run(ReleaseAddresses([ReleaseOption(address)], time: session.now()))
      if let error = result.error { throw error }
      guard result.unallocated.isEmpty else { return .failed("IP address \(address) is not assigned") }
      return Transcript(output: "Successfully released IP address \(address)\n")
    } catch {
      return .failed("error: \(error.advised)")
    }
  }
}
