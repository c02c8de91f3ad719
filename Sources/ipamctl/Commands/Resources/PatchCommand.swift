import ArgumentParser
import CalicoBackend
import CalicoModel
import JSON
import YAML

/// `ipamctl patch`
struct PatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "patch",
    abstract: "Changes single fields of a resource.",
    discussion: """
      \(ResourceHelp.kinds)

      The patch is JSON or YAML. Its type is strategic (objects are merged, null removes a field, lists are replaced but \
      for owners and finalizers, as kubectl and calicoctl do it), merge (RFC 7396: all lists are replaced) or json (RFC \
      6902: a list of operations). What comes of it is checked like a file, and written only if nobody else has changed \
      the resource meanwhile.

      Exit status: 0 when it was changed, 1 otherwise; then it was not.

      Examples:
        ipamctl patch ippool pods -p '{"spec":{"natOutgoing":true}}'
        ipamctl patch ippool pods --type json -p '[{"op":"replace","path":"/spec/disabled","value":true}]'
      """
  )

  /// How the patch is meant.
  enum PatchType: String, CaseIterable {
    case strategic
    case merge
    case json
  }

  @OptionGroup var datastore: DatastoreOptions

  @Option(
    name: [.customShort("p", allowingJoined: true), .long],
    help: ArgumentHelp("The patch.", valueName: "patch"))
  var patch: String

  @Option(
    name: [.customShort("t", allowingJoined: true), .long],
    help: ArgumentHelp("How the patch is meant.", valueName: "strategic|merge|json"),
    completion: .list(PatchType.allCases.map(\.rawValue)))
  var type = "strategic"

  @Option(
    name: [.customShort("n", allowingJoined: true), .long],
    help: ArgumentHelp("For kinds that are in namespaces; none of those here is.", visibility: .hidden))
  var namespace: String?

  @Argument(help: "The kind and the name.", completion: StoredNames.completion)
  var resource: [String] = []

  func run() async throws { try await execute(await datastore.write()).deliver() }

  /// Reads the patch, and changes the resource.
  /// The session is opened when it is known what is to be done.
  func execute(_ session: @autoclosure () async throws -> Session) async throws -> Transcript {
    let (kind, name): (ResourceKind, String)
    let change: (JSON) throws -> JSON
    do {
      (kind, name) = try target()
      change = try self.change()
    } catch {
      return .refused(error)
    }
    if namespace != nil { return .failed("hit error: \(ResourceRefusal.notNamespaced(kind.rawValue))") }
    let session = try await session()
    do {
      try await session.resources.edit(kind, name) { try Self.patched($0, change, type) }
      return Transcript(output: "Successfully patched 1 '\(kind.rawValue)' resource\n")
    } catch let error as ResourceError {
      return await Self.transcript(error, session)
    } catch {
      return .failed("hit error: \(error.advised)")
    }
  }

  /// What is said when the resource was not changed (calicoctl specification, sections 3.1 and 4.3).
  private static func transcript(_ error: ResourceError, _ session: Session) async -> Transcript {
    var transcript = Transcript()
    switch error.code {
    case .unknownField: transcript.failure(error.description)
    case .invalid, .updateConflict, .unconfirmed:
      transcript.failure("hit error: updating existing resource: \(error)")
    case .doesNotExist(.resource(let kind, let name)):
      transcript.failure("hit error: \(error)")
      if let meant = await ResourceReading(session).name(like: name, kind) {
        transcript.warning("\(kind.rawValue)(\(name)): did you mean '\(meant)'?")
      }
    default: transcript.failure("hit error: \(error)")
    }
    if let advice = error.advice { transcript.warning(advice) }
    return transcript
  }

  private func target() throws -> (ResourceKind, String) {
    // One argument may be both: ippool/pods.
    let slashed = resource.count == 1 && resource[0].contains("/")
    guard slashed || resource.count == 2 else {
      throw ResourceRefusal(description: "accepts 2 arg(s), received \(resource.count)")
    }
    let target = try ResourceArguments(resource[0], Array(resource.dropFirst())).targets[0]
    return (try ResourceKind(changing: target.kind), target.name)
  }

  /// What the patch does to a document.
  private func change() throws -> (JSON) throws -> JSON {
    guard let type = PatchType(rawValue: type) else {
      let meant = NearestName.of(self.type, among: PatchType.allCases.map(\.rawValue))
      throw ResourceRefusal(
        description: "unknown patch type '\(self.type)', expected one of: strategic, merge, json"
          + (meant.map { "\ndid you mean '\($0)'?" } ?? ""))
    }
    let patch: JSON
    do {
      patch = try JSON(parsing: Array(self.patch.utf8))
    } catch let error {
      // What begins like JSON was meant to be JSON: what is wrong with it is told in its words.
      if let first = self.patch.first(where: { !$0.isWhitespace }), "{[".contains(first) {
        throw ResourceRefusal(description: "the patch is no JSON: \(error)")
      }
      do {
        patch = try YAMLDocument.json(self.patch) ?? .null
      } catch {
        throw ResourceRefusal(description: "the patch is neither JSON nor YAML: \(error.reason)")
      }
    }
    switch type {
    case .strategic: return { try StrategicMergePatch.apply(patch, to: $0) }
    case .merge:
      guard case .object = patch else { throw ResourceRefusal(description: "a merge patch is an object") }
      return { MergePatch.apply(patch, to: $0) }
    case .json:
      let steps = try JSONPatch(patch)
      return { try steps.apply(to: $0) }
    }
  }

  private static func patched(_ resource: Resource, _ change: (JSON) throws -> JSON, _ type: String) throws -> Resource
  {
    let document: JSON
    do {
      document = try change(.object(resource.arrangedDocument))
    } catch {
      throw ResourceRefusal(description: "performing \(type == "strategic" ? "strategic merge" : type) patch: \(error)")
    }
    guard case .object(let members) = document else {
      throw ResourceRefusal(description: "creating resource from patched data: it is no object any more")
    }
    do {
      return try resource.changed(to: members)
    } catch {
      let advice = [error.place.map { "\($0)" }, error.advice].compactMap { $0 }.joined(separator: ": ")
      var text = error.description
      if case .unknownField = error.code {} else { text = "creating resource from patched data: " + text }
      throw ResourceError(error.code, text, advice: advice.isEmpty ? nil : advice)
    }
  }
}
