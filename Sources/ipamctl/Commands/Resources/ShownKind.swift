import CalicoModel

/// The kinds that `get` shows: those that people write, and those that address management writes for itself, which
/// calicoctl does not know (calicoctl specification, section 4.1).
enum ShownKind: Hashable {
  case written(ResourceKind)
  case blockAffinity
  case block
  case handle

  static let all: [ShownKind] = ResourceKind.written.map { .written($0) } + [.blockAffinity, .block, .handle]

  /// The name in documents.
  var name: String {
    switch self {
    case .written(let kind): kind.rawValue
    case .blockAffinity: "BlockAffinity"
    case .block: "IPAMBlock"
    case .handle: "IPAMHandle"
    }
  }

  /// What people call the kind on a command line, in lower case.
  var commandNames: [String] {
    switch self {
    case .written(let kind): kind.commandNames
    case .blockAffinity: ["blockaffinity", "blockaffinities", "affinity", "affinities"]
    case .block: ["ipamblock", "ipamblocks", "block", "blocks"]
    case .handle: ["ipamhandle", "ipamhandles", "handle", "handles"]
    }
  }

  /// The kind that an argument of a command names, in any case of letters.
  init(argument: String) throws(ResourceError) {
    let name = argument.lowercased()
    guard let kind = Self.all.first(where: { $0.commandNames.contains(name) }) else {
      throw Self.unknown(argument, Self.all)
    }
    self = kind
  }

  fileprivate static func unknown(_ argument: String, _ kinds: [ShownKind]) -> ResourceError {
    let meant = NearestName.of(argument, among: kinds.flatMap(\.commandNames))
    return ResourceError(
      .unknownKind, "resource type '\(argument)' is not supported", advice: meant.map { "did you mean '\($0)'?" })
  }
}

extension ResourceKind {
  /// The kind that an argument names whose resources are to be changed.
  ///
  /// - Throws: `ResourceError` for what is none, and for kinds that only address management writes.
  init(changing argument: String) throws(ResourceError) {
    switch try? ShownKind(argument: argument) {
    case .written(let kind)?: self = kind
    case let kind?:
      throw ResourceError(
        .unsupported, "resource type '\(argument)' is not supported",
        advice: "\(kind.name) is written by address management alone; 'ipamctl get' shows it, and 'ipamctl ipam' "
          + "changes what it records")
    case nil: throw ShownKind.unknown(argument, ResourceKind.written.map { .written($0) })
    }
  }
}
