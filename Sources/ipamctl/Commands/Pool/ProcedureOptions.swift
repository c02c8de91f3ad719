import ArgumentParser
import IPAddressing
import PoolProcedures

/// What the commands on procedures have in common.
struct ProcedureOptions: ParsableArguments {
  /// What is to be done with a procedure.
  enum Mode: Hashable {
    case begin
    case proceed(PoolProcedure.Direction?)
    case status
  }

  @OptionGroup var datastore: DatastoreOptions

  @Flag(name: .customLong("continue"), help: "Go on with what was begun, in whatever direction it was going.")
  var continues = false

  @Flag(help: "Go back to the start.")
  var undo = false

  @Flag(help: "Show how far it is, and who still has addresses. Changes nothing.")
  var status = false

  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false

  @Option(
    help: ArgumentHelp(
      """
      How long to wait for workloads to leave a pool; then the command ends, and can be continued. By default as long as \
      it takes.
      """, valueName: "seconds"))
  var timeout: UInt32?

  @Option(name: [.customShort("o", allowingJoined: true), .long], help: "How --status answers: table or json.")
  var output = OutputFormat.table

  func validate() throws {
    if [continues, undo, status].filter(\.self).count > 1 {
      throw ValidationError("--continue, --undo and --status exclude one another")
    }
    if output == .json, !status { throw ValidationError("--output json is for --status") }
  }

  var mode: Mode {
    if status { return .status }
    if undo { return .proceed(.back) }
    return continues ? .proceed(nil) : .begin
  }

  /// The time that workloads have, in milliseconds; nil for any.
  var patience: UInt64? { timeout.map { UInt64($0) * 1000 } }
}

/// The range of a pool as people write it.
struct RangeArgument: ExpressibleByArgument {
  let cidr: CIDR

  init?(argument: String) {
    guard let cidr = CIDR(argument) else { return nil }
    self.cidr = cidr
  }
}
