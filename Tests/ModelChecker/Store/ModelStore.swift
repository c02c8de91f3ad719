import CalicoModel
import Datastore
import IPAddressing

/// A store in memory, that does one read or one compared write at a time and keeps typed values beside their bytes.
struct ModelStore {
  struct Entry {
    /// The value as it reads after it was written: times in whole seconds, for example.
    var value: Value
    var stored: Stored
    let path: String
  }

  /// What one write did.
  struct Event {
    var key: Key
    var old: Value?
    var new: Value?
  }

  /// What became of writes that are made all together, or not at all.
  enum Decision {
    /// What was done, and the revisions of the entries that now exist.
    case applied([Event], [Key: Revision])
    /// The first entry that was not what its write was made from.
    case conflict(Key)
  }

  private(set) var entries: [Key: Entry] = [:]
  /// The keys in the order of their paths.
  private var order: [(path: String, key: Key)] = []
  private var revision: Int64 = 0
  /// How often each entry has been deleted.
  private(set) var deletions: [Key: Int] = [:]
  /// Every commit so far with what became of it; nil when nobody wants to know.
  private(set) var record: [DecidedCommit]?

  init(isRecorded: Bool = false) {
    record = isRecorded ? [] : nil
  }

  // MARK: - Reading

  func entry(_ key: Key) -> Stored? { entries[key]?.stored }

  func value(_ key: Key) -> Value? { entries[key]?.value }

  func read(_ read: Read) -> ReadResult {
    switch read {
    case .entry(let key): .entry(entry(key))
    case .list(let listing): .list(list(listing))
    }
  }

  func list(_ listing: Listing) -> ListResult {
    var result = ListResult(items: [])
    let start = listing.after.map { KeyPath.path(of: $0) }
    for (path, key) in order where Self.isInScope(key, listing.scope) {
      if let start, !start.utf8.lexicographicallyPrecedes(path.utf8) { continue }
      if let limit = listing.limit, result.items.count == limit {
        result.hasMore = true
        break
      }
      result.items.append(
        ListResult.Item(key: key, stored: listing.contents == .values ? entries[key]?.stored : nil))
    }
    return result
  }

  /// All blocks, in the order of their paths.
  var blocks: [IPAMBlock] {
    order.compactMap { item in
      guard case .block = item.key, case .block(let block)? = entries[item.key]?.value else { return nil }
      return block
    }
  }

  /// All handles, in the order of their names.
  var handles: [(identifier: String, handle: IPAMHandle)] {
    order.compactMap { item in
      guard case .handle(let name) = item.key, case .handle(let handle)? = entries[item.key]?.value else { return nil }
      return (name, handle)
    }
  }

  private static func isInScope(_ key: Key, _ scope: Listing.Scope) -> Bool {
    switch (scope, key) {
    case (.blocks(let family), .block(let cidr)): family == nil || cidr.address.family == family
    case (.affinities(let owner, let family), .affinity(let other, let cidr)):
      owner == other && (family == nil || cidr.address.family == family)
    case (.allAffinities(let kind), .affinity(let owner, _)): owner.kind == kind
    case (.handles, .handle): true
    case (.resources(let kind), .resource(let other, _)): kind == other
    default: false
    }
  }

  // MARK: - Writing

  /// Whether an entry is what a change was made from.
  func holds(_ base: Base, _ key: Key) -> Bool {
    switch base {
    case .any: true
    case .absent: entries[key] == nil
    case .revision(let revision): entries[key]?.stored.revision == revision
    }
  }

  /// The first entry that is not what its write was made from; nil when there is none.
  func conflict(_ writes: [ComparedWrite]) -> Key? { writes.first { !holds($0.base, $0.key) }?.key }

  /// Compares and writes, everything or nothing.
  mutating func commit(_ writes: [ComparedWrite]) throws(Violation) -> Decision {
    if let key = conflict(writes) {
      record?.append(DecidedCommit(writes: writes, outcome: .conflict(key)))
      return .conflict(key)
    }
    var events: [Event] = []
    var revisions: [Key: Revision] = [:]
    for write in writes {
      let (event, revision) = try self.write(write.key, write.value)
      events.append(event)
      revisions[write.key] = revision
    }
    record?.append(DecidedCommit(writes: writes, outcome: .applied(revisions)))
    return .applied(events, revisions)
  }

  /// Writes without comparing.
  private mutating func write(_ key: Key, _ value: Value?) throws(Violation) -> (event: Event, revision: Revision?) {
    let old = entries[key]?.value
    guard let value else {
      if let entry = entries.removeValue(forKey: key) {
        deletions[key, default: 0] += 1
        order.removeAll { $0.path == entry.path }
      }
      return (Event(key: key, old: old, new: nil), nil)
    }
    revision += 1
    let bytes = value.encoded()
    let stored = Stored(bytes: bytes, revision: Revision(revision))
    let decoded = try Self.decoded(key, value, stored)
    if let path = entries[key]?.path {
      entries[key] = Entry(value: decoded, stored: stored, path: path)
    } else {
      let path = KeyPath.path(of: key)
      entries[key] = Entry(value: decoded, stored: stored, path: path)
      let place = order.firstIndex { path.utf8.lexicographicallyPrecedes($0.path.utf8) } ?? order.count
      order.insert((path, key), at: place)
    }
    return (Event(key: key, old: old, new: decoded), stored.revision)
  }

  /// The value as everybody will read it: what cannot be read back must never be written (invariants I2 and I3).
  private static func decoded(_ key: Key, _ value: Value, _ stored: Stored) throws(Violation) -> Value {
    do {
      switch (key, value) {
      case (.block(let cidr), .block): return .block(try stored.block(cidr))
      case (.handle, .handle): return .handle(try stored.handle())
      default: return value
      }
    } catch {
      throw Violation(.unreadable, "\(key) was written and cannot be read: \(error.description)")
    }
  }
}
