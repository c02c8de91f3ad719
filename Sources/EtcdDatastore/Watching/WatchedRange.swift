import CalicoModel
import Datastore
import EtcdMessages

/// One range of a watch, and up to where it has been told.
struct WatchedRange {
  enum Subject: Hashable {
    case kind(EntryKind)
    case key(Key)
  }

  let subject: Subject
  let range: EntryRange
  /// The last revision of which everything is told; nil when what there is has to be told first.
  var position: Int64?

  /// The ranges of an interest, in the order in which they are told.
  static func all(of interest: WatchInterest) -> [WatchedRange] {
    let kinds = interest.orderedKinds.flatMap { kind in
      EntryRange.all(of: kind).map { WatchedRange(subject: .kind(kind), range: $0) }
    }
    let keys = interest.singleKeys.map { WatchedRange(subject: .key($0), range: EntryRange($0)) }
    return kinds + keys.sorted { $0.range.lower.lexicographicallyPrecedes($1.range.lower) }
  }

  /// The request to be told of what happens after the position.
  func creation(_ identifier: Int64) -> Etcdserverpb_WatchRequest {
    var creation = Etcdserverpb_WatchCreateRequest()
    creation.key = etcdBytes(range.lower)
    creation.rangeEnd = etcdBytes(range.upper)
    creation.startRevision = (position ?? 0) + 1
    creation.progressNotify = true
    creation.watchID = identifier
    creation.fragment = true
    var request = Etcdserverpb_WatchRequest()
    request.createRequest = creation
    return request
  }
}

/// Changes that are told together: of several of one entry the last.
struct CoalescedChanges {
  private var entries: [Key: (order: Int, stored: Stored?)] = [:]
  private var count = 0

  var isEmpty: Bool { entries.isEmpty }

  mutating func note(_ key: Key, _ stored: Stored?) {
    count += 1
    entries[key] = (count, stored)
  }

  /// Takes the changes, in the order in which they were made last.
  mutating func take() -> [WatchEvent] {
    defer { self = CoalescedChanges() }
    return entries.sorted { $0.value.order < $1.value.order }.map { .change($0.key, $0.value.stored) }
  }
}
