import ArgumentParser
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON

/// `ipamctl ipam show`
struct IPAMShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows how much of each pool is in use, who holds an address, or the configuration.",
    discussion: """
      IPS IN USE counts addresses that were given out, those that cool down after their release included. An address \
      that was given out and reserved later counts in both columns, so the three need not add up.

      Of several things to show one is shown: the address, the blocks, what is borrowed, the configuration, in this order.

      Exit status: 0; 1 for an address that is none or cools down, or when the datastore cannot be read.

      Examples:
        ipamctl ipam show
        ipamctl ipam show --show-blocks
        ipamctl ipam show --ip 10.65.0.2
        ipamctl ipam show --show-borrowed --output json
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  @Option(help: ArgumentHelp("Show who holds this address.", valueName: "address"))
  var ip: String?

  @Flag(help: "Show the blocks of each pool, and those that are in none.")
  var showBlocks = false

  @Flag(help: "Show the addresses that nodes have from blocks of others.")
  var showBorrowed = false

  @Flag(help: "Show the configuration.")
  var showConfiguration = false

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: "How to print the answer: as a table for people, or as JSON.")
  var output = OutputFormat.table

  func run() async throws {
    let session = try await datastore.read()
    var transcript = try await execute(session)
    if let absence = session.store.absence { transcript.warning(absence) }
    try transcript.deliver()
  }

  /// Reads and prints; changes nothing.
  func execute(_ session: Session) async throws -> Transcript {
    do {
      if let ip { return try await AddressView(ip, session).transcript(output) }
      if showBlocks { return try await PoolView(session, showsBlocks: true).transcript(output) }
      if showBorrowed { return try await BorrowingView(session).transcript(output) }
      if showConfiguration { return try await ConfigurationView(session).transcript(output) }
      return try await PoolView(session, showsBlocks: false).transcript(output)
    } catch {
      return .failed(error.advised)
    }
  }
}
