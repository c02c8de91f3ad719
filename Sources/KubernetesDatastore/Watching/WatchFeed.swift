import CalicoModel
import Datastore

/// What one request of a watch tells of: a collection, or one object of it.
struct WatchFeed: Sendable {
  enum Subject: Hashable, Sendable {
    /// All entries of a kind.
    case kind(EntryKind)
    /// One entry.
    case key(Key)
    /// Some entries of a kind, too many for a request each.
    case keys([Key])
  }

  let subject: Subject
  let kind: ObjectKind
  /// The kind of resource as which objects are read; nil to read them as what address management keeps.
  private let resource: ResourceKind?

  /// The feeds of an interest.
  static func all(_ interest: WatchInterest) -> [WatchFeed] {
    var feeds = interest.kinds.map { WatchFeed($0) }
    let byKind = Dictionary(grouping: interest.singleKeys) { EntryKind(of: $0) }
    for keys in byKind.values {
      let existing = keys.filter { ObjectKind($0) != nil }
      if existing.count <= mostSingleKeys {
        feeds += existing.compactMap { WatchFeed($0) }
      } else if let first = existing.first, let feed = WatchFeed(first, among: existing) {
        feeds.append(feed)
      }
    }
    return feeds
  }

  /// Up to how many entries of a kind are asked for one by one. The server bounds the streams of a connection.
  private static let mostSingleKeys = 24

  private init(_ entries: EntryKind) {
    subject = .kind(entries)
    resource = if case .resources(let kind) = entries { kind } else { nil }
    kind =
      switch entries {
      case .blocks: .block
      case .affinities, .resources(.blockAffinity): .affinity
      case .handles: .handle
      case .configuration, .resources(.ipamConfiguration): .configuration
      case .resources(let kind): .resource(kind)
      }
  }

  private init?(_ key: Key, among keys: [Key]? = nil) {
    guard let kind = ObjectKind(key) else { return nil }
    self.kind = kind
    subject = keys.map { .keys($0) } ?? .key(key)
    resource = if case .resource(let kind, _) = key { kind } else { nil }
  }

  /// What tells the object from others of the collection; nil for all.
  var fieldSelector: String? {
    guard case .key(let key) = subject, let name = key.objectName else { return nil }
    return "metadata.name=" + name
  }

  /// Reads an object that the server told of; nil when it is of no interest.
  func decode(_ object: KubernetesObject, _ form: EntryForm) throws(ObjectError) -> DecodedEntry? {
    let entry: DecodedEntry?
    if let resource {
      entry = try form.decode(object, as: resource)
    } else {
      entry = try form.decode(object, kind)
    }
    guard let entry, kind != .configuration || object.metadata.name == "default" else { return nil }
    return switch subject {
    case .kind: entry
    case .key(let key): entry.key == key ? entry : nil
    case .keys(let keys): keys.contains(entry.key) ? entry : nil
    }
  }

  /// The position of this feed in a cursor; nil when it has none that can be followed.
  func position(in cursor: WatchCursor?) -> String? {
    let revision: Revision? =
      switch subject {
      case .kind(let kind): cursor?.positions[kind]
      case .key(let key): cursor?.keys[key]
      case .keys: nil
      }
    // The version 0 stands for any.
    guard let token = revision?.token, let number = UInt64(token), number > 0 else { return nil }
    return token
  }
}
