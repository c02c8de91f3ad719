import ArgumentParser
import DatastoreMigration

/// `ipamctl ipam split`
struct IPAMSplitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split",
    abstract: "Splits a pool into smaller ones of equal size.",
    discussion: """
      The pools split-NAME-0, split-NAME-1 and so on take the place of the pool. They are like it in all but their \
      addresses, and in use, even if it was disabled. Blocks and addresses stay with whom they are with: each belongs to \
      the pool that it lies in now.

      The datastore has to be locked, so that nobody assigns addresses meanwhile. The number of pools is a power of two, \
      and each must hold a block at least. What is wrong is found before anything is changed; when the work is cut off, \
      the same command goes on with it.

      Exit status: 0 when the pool was split, 1 otherwise.

      Example:
        ipamctl datastore migrate lock
        ipamctl ipam split --name pods 4
        ipamctl datastore migrate unlock
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  @Option(help: ArgumentHelp("The pool's network.", valueName: "network"))
  var cidr: String?

  @Option(
    help: ArgumentHelp("The pool's name, which counts when both are given.", valueName: "pool"),
    completion: StoredNames.pools)
  var name: String?

  @Argument(parsing: .remaining, help: "How many pools to make of it.")
  var number: [String] = []

  func run() async throws { try await execute(await datastore.write()).deliver() }

  /// Splits.
  /// The session is opened when it is known what is to be done.
  func execute(_ session: @autoclosure () async throws -> Session) async throws -> Transcript {
    guard number.count == 1 else { return .failed("accepts 1 arg(s), received \(number.count)") }
    guard let parts = Int(number[0]) else { return .failed(Self.refusal(number[0])) }
    // An empty flag is one that is not given.
    let (name, cidr) = (self.name == "" ? nil : self.name, self.cidr == "" ? nil : self.cidr)
    guard name != nil || cidr != nil else {
      return .failed("no name or CIDR provided. Provide a name or CIDR to denote the IP pool to split")
    }
    let session = try await session()
    do throws(MigrationError) {
      guard try await session.migrationLock.isHeld() else {
        return .failed(
          "datastore is not locked. Run the `ipamctl datastore migrate lock` command in order split the IP pools")
      }
    } catch {
      return .failed(error.description)
    }
    do throws(PoolSplit.Failure) {
      return Transcript(output: try await PoolSplit(session).split(name: name, cidr: cidr, into: parts).text)
    } catch {
      return .failed(error.description)
    }
  }

  /// What Go's parser says of a text that is no number.
  private static func refusal(_ text: String) -> String {
    let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    let reason = isNumber ? "value out of range" : "invalid syntax"
    return "error reading number to split IP pools into. \(text) is not a valid number: strconv.Atoi: "
      + "parsing \"\(text)\": \(reason)"
  }
}
