import CalicoModel
import Datastore
import EtcdMessages

/// What is read or watched at once, as etcd asks for it: one entry, or a range of paths.
struct EntryRange: Sendable {
  /// The first wanted path.
  let lower: [UInt8]
  /// The first path that is not wanted any more; empty for a range of one path.
  let upper: [UInt8]
  private let key: @Sendable ([UInt8]) -> Key?

  /// The range of one entry.
  init(_ key: Key) {
    let path = Array(KeyPath.path(of: key).utf8)
    lower = path
    upper = []
    self.key = { $0 == path ? key : nil }
  }

  /// The range of several.
  init(_ paths: PathRange) {
    // The first path behind another has one byte more, the least there is.
    lower = paths.lower.utf8 + [0]
    upper = Array(paths.upper.utf8)
    key = { paths.key(of: $0) }
  }

  /// The ranges in which all entries of a kind lie, in the order of their paths.
  static func all(of kind: EntryKind) -> [EntryRange] {
    kind == .configuration ? [EntryRange(.configuration)] : PathRange.all(of: kind).map { EntryRange($0) }
  }

  /// Whether nothing can lie in the range: what it is to come after lies behind it.
  var isEmpty: Bool { !upper.isEmpty && !lower.lexicographicallyPrecedes(upper) }

  /// The key of an entry in the range; nil when the path names none that is meant, or in another spelling than ours.
  func key(of path: some Sequence<UInt8>) -> Key? { key(Array(path)) }
}

/// The type of bytes in etcd's messages, made without naming it.
func etcdBytes<Bytes: RangeReplaceableCollection<UInt8>>(_ bytes: some Sequence<UInt8>) -> Bytes { Bytes(bytes) }

extension Etcdserverpb_KeyValue {
  /// The entry's value and the revision that wrote it last.
  var stored: Stored { Stored(bytes: Array(value), revision: Revision(modRevision)) }
}
