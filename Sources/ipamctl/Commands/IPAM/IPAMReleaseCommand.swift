import ArgumentParser
import CNI
import CalicoEngine
import CalicoModel
import IPAddressing

/// `ipamctl ipam release`
struct IPAMReleaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Releases one address, whoever holds it, or what reports of 'ipam check -o' say that nobody uses.",
    discussion: """
      With --ip nothing is asked about the container: if it is alive, two containers will have the address some day. \
      'ipamctl ipam check --fix' and 'ipamctl ipam gc' release what is known to be nobody's. Where a cool-down is \
      configured the address is not free before it ends.

      With --from-report everything is released that is not in use and does not cool down in any of the reports, each \
      address on the condition that it still has the handle and the number that the last report tells; and handles are \
      deleted that hold no address in every report and have not changed since. At least one report must be of the \
      datastore as it is locked now ('ipamctl datastore migrate lock').

      Exit status: 0 when everything was released, 1 otherwise.

      Examples:
        ipamctl ipam release --ip 10.65.0.2
        ipamctl ipam check -o report.json && ipamctl ipam release --from-report report.json
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  @Option(help: ArgumentHelp("The address.", valueName: "address"))
  var ip: String?

  @Option(
    help: ArgumentHelp("A report of 'ipamctl ipam check -o'; may be given several times.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var fromReport: [String] = []

  @Flag(help: "Go on though the datastore is not locked, or a report was made by another version.")
  var force = false

  func run() async throws {
    // A limit for programs that run for ever is none for a person who waits (front-end specification, section 7.6).
    try await execute(datastore.open(writes: true, queriesPerSecond: 100)).deliver()
  }

  func execute(_ session: Session) async throws -> Transcript {
    if !fromReport.isEmpty { return await ReportedRelease(session, isForced: force).transcript(fromReport) }
    guard let ip else { return Transcript() }
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
