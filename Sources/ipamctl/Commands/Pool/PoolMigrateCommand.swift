import ArgumentParser
import PoolProcedures

/// `ipamctl pool migrate`
struct PoolMigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate",
    abstract: "Leads workloads from one IP pool to another, and deletes the old one when nobody uses it.",
    discussion: """
      NEW is created with --cidr, and otherwise as OLD is, unless it exists. Then OLD is disabled: who has an address of \
      it keeps it, new ones come from NEW. The command shows who still has addresses of OLD, and waits; restart the pods \
      meanwhile, such as with 'kubectl rollout restart'. It may be interrupted at any time. When no address of OLD is in \
      use, OLD is deleted. Until then --undo goes back: OLD is enabled again, and NEW is disabled, left and deleted, if it \
      was created here.

      It is refused, with everything that stands in the way, where a pool is disabled, overlaps with another, is of \
      another IP version, is too small, does not select a node that uses OLD, or has blocks that are not its own.

      Exit status: 0 when it is done, 1 otherwise, also when --timeout passed.

      Examples:
        ipamctl pool migrate old new --cidr 10.66.0.0/16
        ipamctl pool migrate old new --cidr 10.66.0.0/16 --block-size 28 --yes --timeout 600
        ipamctl pool migrate --status old
        ipamctl pool migrate --continue old
        ipamctl pool migrate --undo old
      """
  )

  @OptionGroup var options: ProcedureOptions

  @Option(help: ArgumentHelp("The range of NEW, which is created.", valueName: "cidr"))
  var cidr: RangeArgument?

  @Option(
    help: ArgumentHelp("The size of NEW's blocks as a prefix length; without it that of OLD.", valueName: "length"))
  var blockSize: Int?

  @Argument(help: "The pool to leave, by name or range.", completion: StoredNames.pools)
  var old: String?

  @Argument(
    help: "The pool to go to, by name; or, where it exists, by range.",
    completion: StoredNames.pools)
  var new: String?

  func validate() throws {
    if options.mode == .begin {
      if old == nil || new == nil { throw ValidationError("name the pool to leave and the pool to go to") }
    } else if cidr != nil || blockSize != nil || new != nil {
      throw ValidationError("a migration that was begun takes one of its pools at most, and nothing else")
    }
  }

  func run() async throws {
    let session = try await options.datastore.open(writes: options.mode != .status, queriesPerSecond: 100)
    try await execute(session, .ofProcess)
  }

  /// Does what is wanted, and speaks of it.
  func execute(_ session: Session, _ conversation: Conversation) async throws {
    let procedures = ProcedureSession(session, conversation, options, .migration)
    guard options.mode == .begin, let old, let new else { return try await procedures.continueOrShow(old) }
    try await procedures.begin(.migration(from: old, to: new, cidr: cidr?.cidr, blockSize: blockSize))
  }
}
