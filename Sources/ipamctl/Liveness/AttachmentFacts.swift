/// What is known about the attachment of a handle and its host when it is judged.
struct AttachmentFacts: Hashable {
  /// When an attachment was recorded.
  enum Origin: Hashable {
    case thisBoot
    case earlierBoot
    /// On another machine, or it cannot be told.
    case elsewhere
  }

  /// The network namespace that was recorded with an attachment, as it is found now.
  enum Namespace: Hashable {
    case unrecorded
    /// There, or not known to be gone.
    case remains(path: String)
    case gone(path: String)
    case replaced(path: String)
  }

  /// One interface's record.
  struct Record: Hashable {
    var origin: Origin
    var namespace: Namespace
  }

  /// A namespace that has one of the handle's addresses.
  var holder: String?
  /// Where a runtime keeps the container's state.
  var runtimeDirectory: String?
  /// A record for each interface; at least one.
  var records: [Record] = []
  /// How many network namespaces were looked at.
  var namespaceCount = 0
  /// Whether every namespace, cache and runtime directory could be read.
  var isLookComplete = true
}

extension Verdict {
  /// Judges the attachment of a handle. Whatever speaks for life outweighs everything else, and doubt is never death: it
  /// is dead when each of its interfaces is proven to be.
  static func judge(_ facts: AttachmentFacts) -> Verdict {
    if let holder = facts.holder { return Verdict(.alive, [.configured(in: holder)]) }
    if let directory = facts.runtimeDirectory { return Verdict(.alive, [.knownToRuntime(directory: directory)]) }
    guard facts.isLookComplete else { return Verdict(.unknown, [.lookIncomplete]) }
    var proof: [Finding] = []
    var doubts: [Finding] = []
    for record in facts.records {
      switch (record.origin, record.namespace) {
      case (.earlierBoot, _): proof.append(.fromEarlierBoot)
      case (.elsewhere, _): doubts.append(.fromElsewhere)
      case (.thisBoot, .gone(let path)): proof.append(.recordedNamespaceGone(path: path))
      case (.thisBoot, .replaced(let path)): proof.append(.recordedNamespaceReplaced(path: path))
      case (.thisBoot, .remains(let path)): doubts.append(.recordedNamespaceRemains(path: path))
      case (.thisBoot, .unrecorded): doubts.append(.noNamespaceRecorded)
      }
    }
    if !doubts.isEmpty || proof.isEmpty { return Verdict(.unknown, doubts) }
    var findings: [Finding] = []
    for finding in proof where !findings.contains(finding) { findings.append(finding) }
    return Verdict(.dead, findings + [.configuredNowhere(namespaces: facts.namespaceCount)])
  }
}
