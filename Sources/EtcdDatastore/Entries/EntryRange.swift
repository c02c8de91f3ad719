import CalicoModel
import Datastore
import EtcdMessages

/// A range of paths, as etcd compares them: byte by byte.
struct EntryRange: Sendable {
  /// The first wanted path.
  let lower: [UInt8]
  /// The first path that is not wanted any more; empty for a range of one path.
  let upper: [UInt8]
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
    upper = prefix.utf8.dropLast() + [UInt8(ascii: "0")]
    self.accepts = accepts
    guard let after = after.map(KeyPath.path), prefix.utf8.lexicographicallyPrecedes(after.utf8) else {
      lower = Array(prefix.utf8)
      return
    }
    lower = after.utf8 + [0]
  }

  /// The range of one entry.
  init(_ key: Key) {
    lower = Array(KeyPath.path(of: key).utf8)
    upper = []
    accepts = { $0 == key }
  }

  /// The range of a listing.
  init(_ listing: Listing) {
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

  /// The ranges in which all entries of a kind lie, in the order of their paths.
  static func all(of kind: EntryKind) -> [EntryRange] {
    let prefixes =
      switch kind {
      case .configuration: [String]()
      case .blocks: [KeyPath.blocks(nil)]
      case .affinities: [KeyPath.affinities(.host), KeyPath.affinities(.virtual)]
      case .handles: [KeyPath.handles]
      case .resources(let resource): [KeyPath.resources(resource)]
      }
    if kind == .configuration { return [EntryRange(.configuration)] }
    return prefixes.map { prefix in EntryRange(prefix) { EntryKind(of: $0) == kind } }
  }

  /// Whether nothing can lie in the range: what it is to come after lies behind it.
  var isEmpty: Bool { !upper.isEmpty && !lower.lexicographicallyPrecedes(upper) }

  /// The key of an entry in the range; nil when the path names none that is meant, or in another spelling than ours: by
  /// it the entry could neither be read again nor be a place to go on from.
  func key(of path: some Collection<UInt8>) -> Key? {
    let text = String(decoding: path, as: UTF8.self)
    guard let key = KeyPath.key(of: text), accepts(key), KeyPath.path(of: key).utf8.elementsEqual(path) else {
      return nil
    }
    return key
  }
}

/// The type of bytes in etcd's messages, made without naming it.
func etcdBytes<Bytes: RangeReplaceableCollection<UInt8>>(_ bytes: some Sequence<UInt8>) -> Bytes { Bytes(bytes) }

extension Etcdserverpb_KeyValue {
  /// The entry's value and the revision that wrote it last.
  var stored: Stored { Stored(bytes: Array(value), revision: Revision(modRevision)) }
}
