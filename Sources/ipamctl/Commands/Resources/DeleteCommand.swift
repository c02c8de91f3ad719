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

  @Argument(help: "The kind, or kind/name.", completion: ResourceHelp.kindCompletion)
  var kind: String?

  @Argument(help: "The names.", completion: StoredNames.completion)
  var names: [String] = []

  func run() async throws { try await execute(await options.datastore.write()).deliver() }

  /// What is to be deleted, and the version that it must have.
  private struct Target {
    var kind: ResourceKind
    var name: String
    var version: String?
    var written: WrittenResource?
  }

  /// Finds out what is meant, and deletes it.
  /// The session is opened when it is known what is to be deleted.
  func execute(_ session: @autoclosure () async throws -> Session) async throws -> Transcript {
    let targets: [Target]
    do { targets = try self.targets() } catch { return .refused(error) }
    var report = ResourceReport(targets.map(\.kind.rawValue))
    if targets.isEmpty { return report.deletion }
    let session = try await session()
    let (client, reading) = (session.resources, ResourceReading(session))
    for target in targets {
      await report.perform(target.written, reading) {
        if options.namespace != nil { throw ResourceRefusal.notNamespaced(target.kind.rawValue) }
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
      return try manifests.entries().map { entry in
        let resource = entry.resource
        return Target(kind: resource.kind, name: resource.name, version: resource.resourceVersion, written: entry)
      }
    }
    guard let argument = kind else {
      throw ResourceRefusal(description: "no resources specified; name a kind and names, or a file with -f")
    }
    return try ResourceArguments(argument, names).targets.map { target in
      let kind = try ResourceKind(changing: target.kind)
      guard !target.name.isEmpty else {
        throw ResourceRefusal(
          description: "no resources specified; name what to delete: ipamctl delete \(argument) NAME")
      }
      return Target(kind: kind, name: target.name)
    }
  }
}
