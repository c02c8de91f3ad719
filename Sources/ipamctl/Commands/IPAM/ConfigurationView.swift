import CalicoBackend
import CalicoModel
import JSON

/// The switches of address management.
struct ConfigurationView {
  private let configuration: IPAMConfiguration

  init(_ session: Session) async throws {
    configuration = try await session.configuration().configuration
  }

  func transcript(_ format: OutputFormat) -> Transcript {
    Transcript(output: format == .json ? JSON.object(configuration.specification).text + "\n" : table)
  }

  private var table: String {
    var table = BoxTable(["PROPERTY", "VALUE"])
    // calicoctl prints the number of a memory cell here. What is not stored is enabled.
    let persistence = configuration.virtualMachineAddressPersistence ?? .enabled
    table.add(["StrictAffinity", String(configuration.strictAffinity)])
    table.add(["AutoAllocateBlocks", String(configuration.autoAllocateBlocks)])
    table.add(["MaxBlocksPerHost", String(configuration.maxBlocksPerHost)])
    table.add(["KubeVirtVMAddressPersistence", persistence.rawValue])
    table.add(["IPCooldownSeconds", String(configuration.cooldownSeconds)])
    return table.text
  }
}
