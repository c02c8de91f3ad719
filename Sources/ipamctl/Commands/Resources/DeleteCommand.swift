import ArgumentParser
import CalicoBackend
import CalicoModel

/// `ipamctl delete`
struct DeleteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Deletes resources by kind and name, or those of a file.",
    discussion: """
      \(ResourceHelp.kinds)

      A pool is disabled first; then its blocks stop belonging to nodes, and empty ones go. Addresses in use stay in \
      use. A node's tunnel addresses are released with it.

      Exit status: 0 when all were deleted, 1 otherwise.

      Examples:
        ipamctl delete ippool pods
        ipamctl delete -f pools.yaml --skip-not-exists
      """
  )

  @OptionGroup var options: ResourceOptions

  @Flag(name: [.customShort("s"), .long], help: "Count a resource that does not exist as deleted.")
  var skipNotExists = false

  @Argument(help: "The kind.", completion: ResourceHelp.kindCompletion)
  var kind: String?

  @Argument(help: "The names.", completion: StoredNames.completion)
  var names: [String] = []

  func run() async throws { try await execute(options.datastore.write()).deliver() }

  /// What is to be deleted: the kind, the name, and the version that it must have.
  private typealias Target = (kind: ResourceKind, name: String, version: String?)

  /// Finds out what is meant, and deletes it.
  func execute(_ session: Session) async throws -> Transcript {
    let targets: [Target]
    do { targets = try self.targets() } catch { return .failed("\(error)") }
    let client = session.resources
    var report = ResourceReport(targets.map(\.kind))
    for target in targets {
      await report.perform {
        if options.namespace != nil { throw ResourceRefusal.notNamespaced(target.kind) }
        do {
          try await client.delete(target.kind, target.name, resourceVersion: target.version)
        } catch let error as ResourceError {
          guard skipNotExists, case .doesNotExist = error.code else { throw error }
        }
      }
    }
    return report.deletion
  }

  private func targets() throws -> [Target] {
    if let manifests = options.manifests {
      return try manifests.resources().map { ($0.kind, $0.name, $0.resourceVersion) }
    }
    guard let argument = kind else {
      throw ResourceRefusal(description: "no resources specified; name a kind and names, or a file with -f")
    }
    let kind = try ResourceKind(argument: argument)
    guard !names.isEmpty else {
      throw ResourceRefusal(description: "no resources specified; name what to delete: ipamctl delete \(argument) NAME")
    }
    guard !names.contains("") else { throw ResourceRefusal(description: "resource name may not be empty") }
    return names.map { (kind, $0, nil) }
  }
}
