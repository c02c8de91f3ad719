import CalicoModel

extension Listing.Scope {
  /// What the paths of all entries begin with.
  var pathPrefix: String {
    switch self {
    case .blocks(let family): KeyPath.blocks(family)
    case .affinities(let owner, let family): KeyPath.affinities(of: owner, family)
    case .allAffinities(let kind): KeyPath.affinities(kind)
    case .handles: KeyPath.handles
    case .resources(let kind): KeyPath.resources(kind)
    }
  }

  var kind: EntryKind {
    switch self {
    case .blocks: .blocks
    case .affinities, .allAffinities: .affinities
    case .handles: .handles
    case .resources(let kind): .resources(kind)
    }
  }

  /// Whether a key that lies below the prefix is meant: the marker of a host lies beside the affinities.
  func contains(_ key: Key) -> Bool {
    if case .host = key { return false }
    return true
  }
}
