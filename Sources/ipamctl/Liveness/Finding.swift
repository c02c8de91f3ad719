import Terminal

/// Something that was found out about a reservation, for or against its container being alive.
enum Finding: Hashable {
  /// The address is configured in a namespace: `network namespace /run/netns/web`.
  case configured(in: String)
  /// A runtime keeps a directory for the container.
  case knownToRuntime(directory: String)
  /// The plugin recorded this very file in an earlier boot of this machine.
  case fromEarlierBoot
  /// The container's network namespace does not exist any more.
  case namespaceGone(path: String, file: String)
  /// The container's network namespace exists, or cannot be said not to.
  case namespaceRemains(path: String, file: String)
  /// No namespace has the address.
  case configuredNowhere(namespaces: Int)
  /// No runtime keeps a directory for the container.
  case unknownToRuntimes(places: Int)
  /// There is no runtime to ask.
  case noRuntime
  /// The content is nothing that a plugin writes.
  case namesNoContainer
  /// Not everything could be looked at.
  case lookIncomplete
  /// The entry has no content.
  case empty
  /// The network namespace that was recorded with the address is where it was.
  case recordedNamespaceRemains(path: String)
  /// There is no network namespace any more where the recorded one was.
  case recordedNamespaceGone(path: String)
  /// There is another network namespace now where the recorded one was.
  case recordedNamespaceReplaced(path: String)
  /// It was recorded on another machine, or on one that cannot be told from others.
  case fromElsewhere
  /// No network namespace was recorded with the address.
  case noNamespaceRecorded

  /// The finding's name in documents; stable.
  var code: String {
    switch self {
    case .configured: "addressConfigured"
    case .knownToRuntime: "containerKnown"
    case .fromEarlierBoot: "earlierBoot"
    case .namespaceGone: "namespaceGone"
    case .namespaceRemains: "namespaceRemains"
    case .configuredNowhere: "addressConfiguredNowhere"
    case .unknownToRuntimes: "containerUnknown"
    case .noRuntime: "noRuntimeState"
    case .namesNoContainer: "namesNoContainer"
    case .lookIncomplete: "lookIncomplete"
    case .empty: "entryEmpty"
    case .recordedNamespaceRemains: "recordedNamespaceRemains"
    case .recordedNamespaceGone: "recordedNamespaceGone"
    case .recordedNamespaceReplaced: "recordedNamespaceReplaced"
    case .fromElsewhere: "otherMachine"
    case .noNamespaceRecorded: "noNamespaceRecorded"
    }
  }

  /// The finding in words.
  var text: String {
    switch self {
    case .configured(let namespace): "its address is configured in the \(namespace)"
    case .knownToRuntime(let directory): "a runtime knows the container (\(directory))"
    case .fromEarlierBoot: "it was recorded in an earlier boot of this machine, which no container survives"
    case .namespaceGone(let path, let file): "its network namespace \(path) is gone (named in \(file))"
    case .namespaceRemains(let path, let file): "its network namespace \(path) is still there (named in \(file))"
    case .configuredNowhere(1): "the one network namespace of this host does not have the address"
    case .configuredNowhere(let count): "none of the \(count) network namespaces of this host has the address"
    case .unknownToRuntimes(let places): "no runtime knows the container (\(places.of("place")) searched)"
    case .noRuntime: "this host has no state of any container runtime to compare with"
    case .namesNoContainer: "its content is no container ID, so it was not made by a plugin"
    case .lookIncomplete: "not everything could be looked at, so nothing is taken for dead"
    case .recordedNamespaceRemains(let path): "its network namespace \(PrintableText.of(path)) is still there"
    case .recordedNamespaceGone(let path): "its network namespace \(PrintableText.of(path)) is gone"
    case .recordedNamespaceReplaced(let path):
      "its network namespace \(PrintableText.of(path)) is gone, and another one is in its place"
    case .fromElsewhere: "it was recorded on another machine, or one of the two has no /etc/machine-id"
    case .noNamespaceRecorded: "no network namespace was recorded for it that could be looked for"
    case .empty: "it is empty, left behind by a killed process or a power loss; the plugin reclaims it at its next ADD"
    }
  }
}
