import ArgumentParser
import CalicoBackend
import CalicoModel

/// `ipamctl get`
struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Shows resources by kind and name, or those that a file names.",
    discussion: """
      \(ResourceHelp.kinds)
      Besides these, what address management writes for itself: ipamblock (block), blockaffinity (affinity) and \
      ipamhandle (handle).

      Output formats: ps (a table), wide (more columns), custom-columns=NAME,… (columns of your choice), yaml, json, and \
      name (kind/name, a line each). What yaml and json print can be applied again; with --export and names, without \
      what belongs to this datastore.

      Exit status: 0 when all were found, 1 otherwise.

      Examples:
        ipamctl get ippools
        ipamctl get ippools -o wide
        ipamctl get ippool pods -o yaml --export
        ipamctl get ipamblock 10.65.0.0/26 -o json
        ipamctl get ipamblocks -o custom-columns=CIDR,AFFINITY,FREE
      """
  )

  @OptionGroup var options: ResourceOptions

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: ArgumentHelp("ps, wide, custom-columns=…, yaml, json or name.", valueName: "format"),
    completion: .list(["ps", "wide", "custom-columns=", "yaml", "json", "name"]))
  var output = "ps"

  @Flag(
    name: [.customShort("A"), .customShort("a"), .long],
    help: ArgumentHelp("For kinds that are in namespaces; none of those here is.", visibility: .hidden))
  var allNamespaces = false

  @Flag(help: "Leave out what belongs to this datastore; only with names.")
  var export = false

  @Argument(help: "The kind, or kind/name.", completion: ResourceHelp.kindCompletion)
  var kind: String?

  @Argument(help: "The names; without any, all of the kind.", completion: StoredNames.completion)
  var names: [String] = []

  func run() async throws {
    var absence: String?
    func open() async throws -> Session {
      let session = try await options.datastore.read()
      absence = session.store.absence
      return session
    }
    var transcript = try await execute(await open())
    if let absence { transcript.warning(absence) }
    try transcript.deliver()
  }

  /// Reads and prints; changes nothing.
  /// The session is opened when it is known what is to be read.
  func execute(_ session: @autoclosure () async throws -> Session) async throws -> Transcript {
    var listing: ResourceListing
    let requests: [Request]
    do {
      let format = try ResourceFormat(output)
      requests = try self.requests()
      // A column that there is none of is told before anything is read.
      for request in requests { _ = try format.columns(of: request.kind) }
      listing = ResourceListing(format)
    } catch {
      return .refused(error)
    }
    if requests.isEmpty { return Transcript(output: "No resources specified\n") }
    let reading = ResourceReading(try await session())
    var report = ResourceReport(requests.map(\.kind.name))
    var unreadable: [String] = []
    for request in requests {
      await report.perform(request.written, reading) {
        if allNamespaces || options.namespace != nil { throw ResourceRefusal.notNamespaced(request.kind.name) }
        guard request.name.isEmpty else {
          let resource = try await reading.one(request.kind, request.name)
          try listing.begin(request.kind, isList: false)
          return listing.add(export && !names.isEmpty ? resource.exported : resource)
        }
        try listing.begin(request.kind, isList: true)
        unreadable += try await reading.all(request.kind) { listing.add($0) }
      }
    }
    var transcript = Transcript(output: listing.text)
    for error in report.errors + unreadable { transcript.failure(error) }
    report.advice.forEach { transcript.warning($0) }
    return transcript
  }

  /// What to read; an empty name stands for all of a kind.
  private struct Request {
    var kind: ShownKind
    var name: String
    var written: WrittenResource?
  }

  private func requests() throws -> [Request] {
    if let manifests = options.manifests {
      return try manifests.entries().map { entry in
        Request(kind: .written(entry.resource.kind), name: entry.resource.name, written: entry)
      }
    }
    guard let kind else {
      throw ResourceRefusal(
        description: "no resources specified; name a kind, such as 'ipamctl get ippools', or a file")
    }
    return try ResourceArguments(kind, names).targets.map { target in
      Request(kind: try ShownKind(argument: target.kind), name: target.name)
    }
  }
}
