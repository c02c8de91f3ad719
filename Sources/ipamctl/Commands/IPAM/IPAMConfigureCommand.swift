import ArgumentParser
import CalicoBackend
import CalicoModel
import Datastore

/// `ipamctl ipam configure`
struct IPAMConfigureCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "configure",
    abstract: "Changes the configuration; what is not named stays.",
    discussion: """
      'ipamctl ipam show --show-configuration' shows it.

      Exit status: 0 when it was changed, 1 otherwise; then nothing was.

      Examples:
        ipamctl ipam configure --strictaffinity=true --max-blocks-per-host=4
        ipamctl ipam configure --ip-cooldown-seconds=60
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  @Option(
    name: .customLong("strictaffinity"),
    help: ArgumentHelp("Whether a node may use addresses of its own blocks only.", valueName: "true|false"),
    completion: .list(["true", "false"]))
  var strictAffinity: String?

  @Option(help: ArgumentHelp("The most blocks of a node; 0 for the default of 20.", valueName: "number"))
  var maxBlocksPerHost: String?

  @Option(
    name: .customLong("kubevirt-ip-persistence"),
    help: ArgumentHelp("Whether virtual machines keep their addresses.", valueName: "Enabled|Disabled"),
    completion: .list(["Enabled", "Disabled"]))
  var persistence: String?

  @Option(help: ArgumentHelp("How long a released address stays unused: 0 to 1200.", valueName: "seconds"))
  var ipCooldownSeconds: Int?

  func run() async throws { try await execute(datastore.write()).deliver() }

  /// Why a value cannot be taken.
  private struct Refusal: Error {
    let text: String
  }

  func execute(_ session: Session) async throws -> Transcript {
    do {
      let (old, revision) = try await session.configuration()
      var new = old
      let lines = try change(&new)
      guard !lines.isEmpty else { return .failed("at least one configuration option must be specified") }
      try Self.check(new)
      if new != old { try await store(new, over: revision, session) }
      return Transcript(output: lines.map { $0 + "\n" }.joined())
    } catch let refusal as Refusal {
      return .failed(refusal.text)
    } catch {
      return .failed("error: \(error.advised)")
    }
  }

  /// Changes what is named, and returns a line for each.
  private func change(_ configuration: inout IPAMConfiguration) throws(Refusal) -> [String] {
    var lines: [String] = []
    if let strictAffinity {
      guard let value = GoBoolean.value(of: strictAffinity) else {
        throw Refusal(text: "invalid value. Use true or false to set strictaffinity")
      }
      configuration.strictAffinity = value
      lines.append("Successfully set StrictAffinity to: \(value)")
    }
    if let maxBlocksPerHost {
      guard let number = Int(maxBlocksPerHost) else {
        throw Refusal(text: "invalid value for maxblockhost. Use a valid number")
      }
      configuration.maxBlocksPerHost = number
      lines.append("Successfully set MaxBlocksPerHost to: \(number)")
    }
    if let persistence {
      guard let value = IPAMConfiguration.AddressPersistence(rawValue: persistence) else {
        throw Refusal(text: "invalid value for --kubevirt-ip-persistence. Use Enabled or Disabled")
      }
      configuration.virtualMachineAddressPersistence = value
      lines.append("Successfully set KubeVirtVMAddressPersistence to: \(value.rawValue)")
    }
    if let ipCooldownSeconds, ipCooldownSeconds >= 0 {
      configuration.cooldownSeconds = ipCooldownSeconds
      lines.append("Successfully set IPCooldownSeconds to: \(ipCooldownSeconds)")
    }
    return lines
  }

  /// The rules between the switches, and then those of the resource's schema.
  private static func check(_ configuration: IPAMConfiguration) throws(Refusal) {
    if !configuration.strictAffinity, !configuration.autoAllocateBlocks {
      throw Refusal(text: "error: Cannot disable 'StrictAffinity' and 'AutoAllocateBlocks' at the same time")
    }
    if configuration.maxBlocksPerHost > 0, !configuration.strictAffinity {
      throw Refusal(text: "error: MaxBlocksPerHost requires StrictAffinity to be enabled")
    }
    guard (0...IPAMConfiguration.maximumBlocksPerHost).contains(configuration.maxBlocksPerHost) else {
      throw Refusal(text: "error: MaxBlocksPerHost must be between 0 and \(IPAMConfiguration.maximumBlocksPerHost)")
    }
    guard (0...IPAMConfiguration.maximumCooldownSeconds).contains(configuration.cooldownSeconds) else {
      throw Refusal(text: "error: IPCooldownSeconds must be between 0 and \(IPAMConfiguration.maximumCooldownSeconds)")
    }
  }

  private func store(
    _ configuration: IPAMConfiguration, over revision: Revision?, _ session: Session
  ) async throws {
    let base = revision.map { Base.revision($0) } ?? .absent
    let change = Change(.configuration, base: base, final: .value(.configuration(configuration)))
    switch try await session.store.commit(Plan([change], durability: .disk), deadline: session.deadline) {
    case .applied: return
    case .conflict:
      throw DatastoreError(.unavailable, "somebody else has changed the configuration meanwhile", advice: "try again")
    case .unknown:
      throw DatastoreError(
        .unavailable, "the connection broke while the configuration was written",
        advice: "see with 'ipamctl ipam show --show-configuration' what it is now")
    }
  }
}
