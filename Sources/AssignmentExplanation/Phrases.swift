import CalicoBackend
import CalicoEngine
import CalicoModel
import Terminal

// What decisions are called in texts for people. Names, selectors and labels are other people's, and are made printable.

extension PoolObstacle {
  /// Why a pool was passed over, as the second half of "passed over: …".
  func phrase(_ question: AssignmentQuestion) -> String {
    switch self {
    case .otherFamily: "it is of the other IP version"
    case .unusable(.disabled): "it is disabled"
    case .unusable(.beingDeleted): "it is being deleted"
    case .unusable(.notAllocatable): "its condition Allocatable is False"
    case .unusable(.blockSize): "it cannot be cut into blocks of its blockSize"
    case .blocksTooSmall(let maximum): "its blocks are smaller than /\(maximum), and the host keeps addresses of each"
    case .notRequested: "other pools are asked for"
    case .manual: "its assignmentMode is Manual, and it is not asked for"
    case .nodeSelector(let selector, let labels):
      Self.mismatch("nodeSelector", selector, labels, "node \(question.node)")
    case .namespaceSelector(let selector, let labels):
      Self.mismatch("namespaceSelector", selector, labels, question.namespacePhrase)
    case .use(let use, let allowed):
      "its allowedUses are \(allowed.map(\.rawValue).joined(separator: ", ")), not \(use.rawValue)"
    case .doesNotContain(let address): "it does not contain \(address)"
    }
  }

  private static func mismatch(
    _ member: String, _ selector: String, _ labels: [String: String], _ bearer: String
  ) -> String {
    // Only labels that the selector could mean: a node has dozens.
    let named = labels.keys.filter { selector.contains($0) }.sorted()
    let shown = named.map { "\($0)=\(labels[$0] ?? "")" }.joined(separator: ", ")
    let found = labels.isEmpty ? "has no labels" : shown.isEmpty ? "has none of its labels" : "has \(shown)"
    return PrintableText.of("its \(member) is \(selector), and \(bearer) \(found)")
  }
}

extension AssignmentQuestion {
  /// The namespace as people call it.
  var namespacePhrase: String { "namespace \(namespace ?? "default")" }

  /// Whom it is about.
  var subject: String {
    if let pod { return "pod \(namespace ?? "default")/\(pod) on node \(node)" }
    if let namespace { return "a new pod of namespace \(namespace) on node \(node)" }
    return "a new pod on node \(node)"
  }
}

extension BlockTally {
  /// `61 of 64 free, 2 in use, 1 cooling down`
  var phrase: String {
    var parts = ["\(free) of \(size) free"]
    if inUse > 0 { parts.append("\(inUse) in use") }
    if cooling > 0 { parts.append("\(cooling) cooling down") }
    if reserved > 0 { parts.append("\(reserved) reserved") }
    return parts.joined(separator: ", ")
  }

  /// Whose the block is.
  var ownerPhrase: String { Self.ownerPhrase(owner) }

  /// `host:node-a` as `node-a`.
  static func ownerPhrase(_ owner: String?) -> String {
    guard let owner else { return "nobody" }
    return PrintableText.of(BlockOwner(owner)?.name ?? owner)
  }
}

extension BlockFate {
  /// What became of a block.
  func phrase(_ node: String) -> String {
    switch self {
    case .own: "affine to \(node), has room"
    case .ownIsFull: "affine to \(node), has no room"
    case .outsidePools: "affine to \(node), in none of the pools that can be used"
    case .deselected(isGivenUp: true): "affine to \(node), whose pool selects it no longer: would be given up"
    case .deselected(isGivenUp: false): "affine to \(node), whose pool selects it no longer: not used for new addresses"
    case .claimedInVain(let owner):
      "claimed by \(node), but belongs to \(BlockTally.ownerPhrase(owner)): the claim would be dropped"
    case .reserved: "affine to \(node), reserved as a whole"
    case .confirms(let state): "affine to \(node); its claim, which is \(state.phrase), would be confirmed"
    case .completesClaim: "claimed by \(node) and not made yet: would be made"
    case .claims(let pool): "new: would be claimed from pool \(PrintableText.of(pool))"
    case .adopts: "names \(node) as its owner, without a claim, which would be made"
    case .others: "of another owner"
    case .reclaims: "empty: would be taken over"
    case .tooYoung: "empty, but claimed less than a minute ago"
    case .unreclaimable: "empty, but its owner's claim cannot be taken back"
    }
  }
}

extension BlockAffinity.State {
  var phrase: String {
    switch self {
    case .pending: "pending"
    case .confirmed: "confirmed"
    case .pendingDeletion: "pendingDeletion"
    case .unstated: "without a state"
    case .other(let text): PrintableText.of(text)
    }
  }
}

extension Wishes.Source {
  /// Who says what is asked for.
  var phrase: String {
    switch self {
    case .configuration: "CNI configuration"
    case .annotation(let bearer): "annotation of the \(bearer.rawValue)"
    case .call: "this command"
    }
  }
}
