import ArgumentParser
import PoolProcedures

/// `ipamctl pool resize-blocks`
struct PoolResizeBlocksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resize-blocks",
    abstract: "Gives an IP pool blocks of another size, through a temporary pool.",
    discussion: """
      The size of a pool's blocks cannot be changed. So workloads are led into a temporary pool, POOL is deleted and \
      created anew with the same name, range and settings but blocks of SIZE, and workloads are led back. They are \
      restarted twice; the command shows who still has addresses of a pool, and waits. It may be interrupted at any time. \
      Until the temporary pool is deleted, which is the last step, --undo goes back.

      It is refused, with everything that stands in the way, where a pool is disabled, overlaps with another, is too \
      small, or has blocks that are not its own.

      Exit status: 0 when it is done, 1 otherwise, also when --timeout passed.

      Examples:
        ipamctl pool resize-blocks pods 28 --temporary-cidr 10.99.0.0/16
        ipamctl pool resize-blocks --status pods
        ipamctl pool resize-blocks --continue pods
        ipamctl pool resize-blocks --undo pods
      """
  )

  @OptionGroup var options: ProcedureOptions

  @Option(
    help: ArgumentHelp(
      "The range of the temporary pool: one that your network carries to the nodes, and nobody uses.", valueName: "cidr"
    ))
  var temporaryCidr: RangeArgument?

  @Option(
    help: ArgumentHelp("The name of the temporary pool. (default: that of POOL with -temporary)", valueName: "name"))
  var temporaryName: String?

  @Argument(help: "The pool, by name or range.", completion: StoredNames.pools)
  var pool: String?

  @Argument(help: "The new size of its blocks, as a prefix length: 28, or /28.")
  var size: BlockSize?

  func validate() throws {
    if options.mode == .begin {
      if pool == nil || size == nil { throw ValidationError("name the pool, and the new size of its blocks") }
      if temporaryCidr == nil {
        throw ValidationError("give --temporary-cidr, a range for the workloads of the pool in the meantime")
      }
    } else if size != nil || temporaryCidr != nil || temporaryName != nil {
      throw ValidationError("a procedure that was begun takes one of its pools at most, and nothing else")
    }
  }

  func run() async throws {
    let session = try await options.datastore.open(writes: options.mode != .status, queriesPerSecond: 100)
    try await execute(session, .ofProcess)
  }

  /// Does what is wanted, and speaks of it.
  func execute(_ session: Session, _ conversation: Conversation) async throws {
    let procedures = ProcedureSession(session, conversation, options, .resizing)
    guard options.mode == .begin, let pool, let size, let temporaryCidr else {
      return try await procedures.continueOrShow(pool)
    }
    try await procedures.begin(
      .resizing(pool, blockSize: size.length, temporaryName: temporaryName, temporaryCIDR: temporaryCidr.cidr))
  }
}

/// The size of a pool's blocks as people write it.
struct BlockSize: ExpressibleByArgument {
  /// The prefix length of a block.
  let length: Int

  init?(argument: String) {
    let digits = argument.hasPrefix("/") ? argument.dropFirst() : argument[...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(digits) else {
      return nil
    }
    self.length = length
  }
}
