import ArgumentParser
import CalicoBackend
import CalicoModel

/// `ipamctl create`
struct CreateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Creates the resources of a file; fails for those that exist.",
    discussion: """
      Resources are written as calicoctl takes them, and the answers are calicoctl's. All files are read before anything \
      is written; a resource that cannot be created does not keep the others from being created.

      Exit status: 0 when all were created, 1 otherwise.

      Examples:
        ipamctl create -f pools.yaml
        ipamctl create -f pools.d -R --skip-exists
        printf '%s' '{"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"pods"},
          "spec":{"cidr":"10.65.0.0/16"}}' | ipamctl create -f -
      """
  )

  @OptionGroup var options: ResourceOptions

  @Flag(help: "Count a resource that exists as created, and leave it as it is.")
  var skipExists = false

  func run() async throws { try await execute(await options.datastore.write()).deliver() }

  /// Reads the files, and creates.
  func execute(_ session: @autoclosure () async throws -> Session) async throws -> Transcript {
    try await ResourceWriting(options, "create", "created").perform(await session()) { client, resource in
      do {
        _ = try await client.create(resource)
      } catch let error as ResourceError {
        guard skipExists, case .alreadyExists = error.code else { throw error }
      }
    }
  }
}

/// `ipamctl apply`
struct ApplyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Creates the resources of a file, and replaces those that exist.",
    discussion: """
      Resources are written as calicoctl takes them, and the answers are calicoctl's. All files are read before anything \
      is written; a resource that cannot be applied does not keep the others from being applied. An existing resource \
      gets the specification, labels and annotations of the file, and keeps what this version does not know.

      Exit status: 0 when all were applied, 1 otherwise.

      Examples:
        ipamctl apply -f pools.yaml
        ipamctl get ippool pods -o yaml | sed s/disabled:.*/disabled:\\ true/ | ipamctl apply -f -
      """
  )

  @OptionGroup var options: ResourceOptions

  func run() async throws { try await execute(await options.datastore.write()).deliver() }

  /// Reads the files, and applies.
  func execute(_ session: @autoclosure () async throws -> Session) async throws -> Transcript {
    try await ResourceWriting(options, "apply", "applied").perform(await session()) { client, resource in
      _ = try await client.apply(resource)
    }
  }
}

/// `ipamctl replace`
struct ReplaceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replace",
    abstract: "Replaces the resources of a file; fails for those that do not exist.",
    discussion: """
      A resource gets the specification, labels and annotations of the file, and keeps what this version does not know. \
      Where the file says a resourceVersion, as 'ipamctl get -o yaml' prints it, the resource must not have changed since.

      Exit status: 0 when all were replaced, 1 otherwise.

      Example:
        ipamctl replace -f pools.yaml
      """
  )

  @OptionGroup var options: ResourceOptions

  func run() async throws { try await execute(await options.datastore.write()).deliver() }

  /// Reads the files, and replaces.
  func execute(_ session: @autoclosure () async throws -> Session) async throws -> Transcript {
    try await ResourceWriting(options, "replace", "replaced").perform(await session()) { client, resource in
      _ = try await client.replace(resource)
    }
  }
}

/// What creating, applying and replacing have in common.
struct ResourceWriting {
  private let options: ResourceOptions
  private let action: String
  private let past: String

  init(_ options: ResourceOptions, _ action: String, _ past: String) {
    self.options = options
    self.action = action
    self.past = past
  }

  /// Reads all files, and then does something with each resource.
  func perform(
    _ session: @autoclosure () async throws -> Session,
    _ body: (ResourceClient, Resource) async throws -> Void
  ) async throws -> Transcript {
    guard let manifests = options.manifests else {
      return .failed("no resources specified; name the file with -f, or '-f -' for stdin")
    }
    let entries: [WrittenResource]
    do { entries = try manifests.entries() } catch { return .failed(error.description) }
    var report = ResourceReport(entries.map(\.resource))
    if entries.isEmpty { return report.transcript(action, past) }
    let session = try await session()
    let (client, reading) = (session.resources, ResourceReading(session))
    for entry in entries {
      await report.perform(entry, reading) {
        if options.namespace != nil { throw ResourceRefusal.notNamespaced(entry.resource.kind.rawValue) }
        try await body(client, entry.resource)
      }
    }
    return report.transcript(action, past)
  }
}
