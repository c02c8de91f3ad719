import ArgumentParser
import CalicoBackend
import CalicoModel
import Datastore
import JSON

/// `ipamctl label`
struct LabelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "label",
    abstract: "Sets and removes labels of a resource.",
    discussion: """
      \(ResourceHelp.kinds)

      Of several labels all are changed, or none. In Kubernetes, labels of nodes that were set by others are changed with \
      kubectl.

      Exit status: 0 when the labels are as was asked for, 1 otherwise.

      Examples:
        ipamctl label node worker-1 rack=r1
        ipamctl label node worker-1 rack=r2 --overwrite
        ipamctl label node worker-1 rack --remove
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  @Flag(help: "Give a label that is there another value.")
  var overwrite = false

  @Flag(help: "Remove the labels of these keys.")
  var remove = false

  @Option(
    name: [.customShort("n", allowingJoined: true), .long],
    help: ArgumentHelp("For kinds that are in namespaces; none of those here is.", visibility: .hidden))
  var namespace: String?

  @Argument(
    help: ArgumentHelp("The kind, the name, and key=value or, with --remove, key.", valueName: "argument"),
    completion: StoredNames.completion)
  var arguments: [String] = []

  func run() async throws { try await execute(await datastore.write()).deliver() }

  /// A label to set, or to remove when there is no value.
  private struct Wish: Hashable {
    var key: String
    var value: String?
  }

  /// What is to be done, and to what, in the words it was written in.
  private struct Request {
    var kind: ResourceKind
    var kindText: String
    var name: String
    var wishes: [Wish]

    var text: String { "\(kindText) \(name)" }
  }

  /// Changes the labels.
  /// The session is opened when it is known what is to be done.
  func execute(_ session: @autoclosure () async throws -> Session) async throws -> Transcript {
    let request: Request
    do { request = try self.request() } catch { return .refused(error) }
    let session = try await session()
    let client = session.resources
    var lines: [String] = []
    do {
      try await client.edit(request.kind, request.name, attempts: ResourceClient.attempts) { resource in
        var resource = resource
        lines = try change(&resource, request)
        return resource
      }
      try await verify(request, client)
    } catch let error as ResourceRefusal {
      return .failed(error.description)
    } catch let error as ResourceError {
      if case .doesNotExist = error.code {
        let meant = await ResourceReading(session).name(like: request.name, request.kind)
        return .failed("\(request.text) not found" + (meant.map { "\ndid you mean '\($0)'?" } ?? ""))
      }
      return .failed("failed to update \(request.text), label not changed: \(error.description)")
    }
    return Transcript(output: lines.map { $0 + "\n" }.joined())
  }

  private func request() throws -> Request {
    // One argument may be kind and name: node/worker-1.
    let isSlashed = arguments.first?.contains("/") == true
    let first = isSlashed ? 1 : 2
    guard arguments.count > first else {
      throw ResourceRefusal(
        description: "requires at least \(first + 1) arg(s), only received \(arguments.count)")
    }
    let target = try ResourceArguments(arguments[0], isSlashed ? [] : [arguments[1]]).targets[0]
    let kind = try ResourceKind(changing: target.kind)
    if namespace != nil { throw ResourceRefusal.notNamespaced(kind.rawValue) }
    let wishes = try arguments[first...].map { try wish($0) }
    return Request(kind: kind, kindText: target.kind, name: target.name, wishes: wishes)
  }

  private func wish(_ argument: String) throws(ResourceRefusal) -> Wish {
    let parts = argument.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == (remove ? 1 : 2), !parts[0].isEmpty else {
      throw ResourceRefusal(description: "invalid label \(argument)")
    }
    return Wish(key: parts[0], value: remove ? nil : parts[1])
  }

  /// Changes the labels of what was read, and says what was done.
  private func change(_ resource: inout Resource, _ request: Request) throws(ResourceRefusal) -> [String] {
    var labels = resource.metadata["labels"]?.objectValue ?? [:]
    var lines: [String] = []
    for wish in request.wishes {
      let old = labels[wish.key]?.stringValue
      switch (wish.value, old) {
      case (nil, nil):
        throw ResourceRefusal(
          description: "cannot remove label of \(request.text), key \(wish.key) does not exist"
            + (NearestName.of(wish.key, among: labels.members.map(\.key)).map { "\ndid you mean '\($0)'?" } ?? ""))
      case (nil, .some): lines.append("Successfully removed label \(wish.key) from \(request.text)")
      case (.some, nil): lines.append("Successfully set label \(wish.key) on \(request.text)")
      case (let value?, let old?):
        guard overwrite || value == old else {
          throw ResourceRefusal(
            description: "failed to update label of \(request.text), key \(wish.key) is already present. "
              + "please use '--overwrite' to set a new value")
        }
        lines.append("Successfully updated label \(wish.key) on \(request.text)")
      }
      labels[wish.key] = wish.value.map { .string($0) }
    }
    resource.metadata["labels"] = labels.members.isEmpty ? nil : .object(labels)
    return lines
  }

  /// Looks whether a node's labels are as they were wished: those that Kubernetes has stay what they are, and calicoctl
  /// calls that a success.
  private func verify(_ request: Request, _ client: ResourceClient) async throws {
    guard request.kind == .node else { return }
    let labels = try await client.get(request.kind, request.name).metadata["labels"]?.objectValue ?? [:]
    for wish in request.wishes where labels[wish.key]?.stringValue != wish.value {
      let remedy = wish.value.map { "\(wish.key)=\($0) --overwrite" } ?? "\(wish.key)-"
      throw ResourceRefusal(
        description: "failed to update \(request.text), label not changed: \(wish.key) is a label of Kubernetes; "
          + "change it with 'kubectl label node \(request.name) \(remedy)'")
    }
  }
}
