public import CalicoModel

/// A range of paths, compared byte by byte: where the entries of a listing or of a kind lie in a store that keeps entries
/// by path.
public struct PathRange: Sendable {
  /// Wanted paths come after this one.
  public let lower: String
  /// Wanted paths come before this one.
  public let upper: String
  private let accepts: @Sendable (Key) -> Bool

  /// Paths that begin with a prefix, come after a key, and name a key of some kind.
  ///
  /// - Parameters:
  ///   - prefix: text that ends in a slash.
  ///   - after: the last key that is not wanted any more.
  ///   - accepts: tells the keys that are meant from others in the same range, such as the marker of a host among the
  ///     affinities.
  private init(_ prefix: String, after: Key? = nil, accepts: @escaping @Sendable (Key) -> Bool) {
    // The byte after "/" is "0".
    upper = prefix.dropLast() + "0"
    self.accepts = accepts
    guard let after = after.map(KeyPath.path), prefix.utf8.lexicographicallyPrecedes(after.utf8) else {
      lower = prefix
      return
    }
    lower = after
  }

  /// The range of a listing.
  public init(_ listing: Listing) {
    let after = listing.after
    switch listing.scope {
    case .blocks(let family): self.init(KeyPath.blocks(family), after: after) { EntryKind(of: $0) == .blocks }
    case .affinities(let owner, let family):
      self.init(KeyPath.affinities(of: owner, family), after: after, accepts: Self.isAffinity)
    case .allAffinities(let kind): self.init(KeyPath.affinities(kind), after: after, accepts: Self.isAffinity)
    case .handles: self.init(KeyPath.handles, after: after) { EntryKind(of: $0) == .handles }
    case .resources(let kind):
      self.init(KeyPath.resources(kind), after: after) { EntryKind(of: $0) == .resources(kind) }
    }
  }

  @Sendable private static func isAffinity(_ key: Key) -> Bool {
    if case .affinity = key { true } else { false }
  }

  /// The ranges in which all entries of a kind lie, in the order of their paths; none for the configuration, which is a
  /// single entry.
  public static func all(of kind: EntryKind) -> [PathRange] {
    let prefixes =
      switch kind {
      case .blocks: [KeyPath.blocks(nil)]
      case .affinities: [KeyPath.affinities(.host), KeyPath.affinities(.virtual)]
      case .handles: [KeyPath.handles]
      case .configuration: [String]()
      case .resources(let resource): [KeyPath.resources(resource)]
      }
    return prefixes.map { prefix in PathRange(prefix) { EntryKind(of: $0) == kind } }
  }

  /// The key of an entry in the range.
  ///
  /// - Parameter path: the entry's path.
  /// - Returns: nil when the path names no key that is meant.
  public func key(of path: String) -> Key? {
    guard let key = Self.key(of: path), accepts(key) else { return nil }
    return key
  }

  /// The key of an entry in the range, whose path may be no text.
  public func key(of path: [UInt8]) -> Key? { String(validating: path, as: UTF8.self).flatMap { key(of: $0) } }

  /// The key that a path names in the spelling that we write; by another one the entry could neither be read again nor
  /// be a place to go on from.
  ///
  /// - Parameter path: a path.
  /// - Returns: nil when the path names no key.
  public static func key(of path: String) -> Key? {
    // Not generic over the bytes: across modules that is several times slower than everything else in a listing.
    guard let key = KeyPath.key(of: path), KeyPath.path(of: key).utf8.elementsEqual(path.utf8) else { return nil }
    return key
  }
}
