import ArgumentParser
import CalicoBackend
import CalicoModel
import JSON

/// `ipamctl get`
struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Shows resources by kind and name, or those that a file names.",
    discussion: """
      \(ResourceHelp.kinds)

      Output formats: ps (a table), wide (more columns), custom-columns=NAME,… (columns of your choice), yaml, json. \
      What yaml and json print can be applied again; with --export and names, without what belongs to this datastore.

      Exit status: 0 when all were found, 1 otherwise.

      Examples:
        ipamctl get ippools
        ipamctl get ippools -o wide
        ipamctl get ippool pods -o yaml --export
      """
  )

  @OptionGroup var options: ResourceOptions

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: ArgumentHelp("ps, wide, custom-columns=…, yaml or json.", valueName: "format"),
    completion: .list(["ps", "wide", "custom-columns=", "yaml", "json"]))
  var output = "ps"

  @Flag(
    name: [.customShort("A"), .customShort("a"), .long],
    help: ArgumentHelp("For kinds that are in namespaces; none of those here is.", visibility: .hidden))
  var allNamespaces = false

  @Flag(help: "Leave out what belongs to this datastore; only with names.")
  var export = false

  @Argument(help: "The kind.", completion: ResourceHelp.kindCompletion)
  var kind: String?

  @Argument(help: "The names; without any, all of the kind.", completion: StoredNames.completion)
  var names: [String] = []

  func run() async throws {
    let session = try await options.datastore.read()
    var transcript = try await execute(session)
    if let absence = session.store.absence { transcript.warning(absence) }
    try transcript.deliver()
  }

  /// Reads and prints; changes nothing.
  func execute(_ session: Session) async throws -> Transcript {
    let format: ResourceFormat
    let requests: [(kind: ResourceKind, name: String)]
    do {
      format = try ResourceFormat(output)
      requests = try self.requests()
    } catch {
      return .failed("\(error)")
    }
    if requests.isEmpty { return Transcript(output: "No resources specified\n") }
    let client = session.resources
    var report = ResourceReport(requests.map(\.kind))
    var results: [ResourceResult] = []
    var unreadable: [String] = []
    for request in requests {
      await report.perform {
        if allNamespaces || options.namespace != nil { throw ResourceRefusal.notNamespaced(request.kind) }
        guard request.name.isEmpty else {
          var resource = try await client.get(request.kind, request.name)
          if export, !names.isEmpty { resource = resource.exported }
          return results.append(.one(resource))
        }
        let list = try await client.list(request.kind)
        results.append(.list(request.kind, list.items))
        unreadable += list.unreadable.map(\.description)
      }
    }
    var transcript = Transcript()
    do { transcript.output = try format.text(results) } catch { return .failed("\(error)") }
    for error in report.errors + unreadable { transcript.failure(error) }
    return transcript
  }

  /// What to read; an empty name stands for all of a kind.
  private func requests() throws -> [(kind: ResourceKind, name: String)] {
    if let manifests = options.manifests {
      return try manifests.resources().map { ($0.kind, $0.name) }
    }
    guard let argument = kind else {
      throw ResourceRefusal(
        description: "no resources specified; name a kind, such as 'ipamctl get ippools', or a file")
    }
    let kind = try ResourceKind(argument: argument)
    guard !names.contains("") else { throw ResourceRefusal(description: "resource name may not be empty") }
    return names.isEmpty ? [(kind, "")] : names.map { (kind, $0) }
  }
}

/// One answer to `get`.
enum ResourceResult {
  case one(Resource)
  case list(ResourceKind, [Resource])

  var kind: ResourceKind {
    switch self {
    case .one(let resource): resource.kind
    case .list(let kind, _): kind
    }
  }

  var resources: [Resource] {
    switch self {
    case .one(let resource): [resource]
    case .list(_, let resources): resources
    }
  }

  /// The whole document. A list's version is that of the newest resource in it.
  var document: JSON {
    switch self {
    case .one(let resource): return .object(resource.arrangedDocument)
    case .list(let kind, let resources):
      var metadata = JSONObject()
      if let newest = resources.compactMap({ $0.resourceVersion.flatMap { Int64($0) } }).max() {
        metadata["resourceVersion"] = .string(String(newest))
      }
      return [
        "kind": .string(kind.rawValue + "List"), "apiVersion": .string(ResourceKind.apiVersion),
        "metadata": .object(metadata), "items": .array(resources.map { .object($0.arrangedDocument) }),
      ]
    }
  }
}

extension Resource {
  /// The resource without what belongs to the datastore it was read from (calicoctl specification, section 4.4).
  var exported: Resource {
    var exported = self
    let cleared = [
      "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    ]
    for key in cleared { exported.metadata[key] = nil }
    exported.document = exported.arrangedDocument
    return exported
  }
}
