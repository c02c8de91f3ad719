public import CalicoModel

/// The kinds of entries that a watch tells apart; each has a cursor of its own.
public enum EntryKind: Hashable, Sendable {
  case blocks
  case affinities
  case handles
  case configuration
  case resources(ResourceKind)

  /// The kind of an entry.
  public init(of key: Key) {
    switch key {
    case .block: self = .blocks
    case .affinity, .host: self = .affinities
    case .handle: self = .handles
    case .configuration: self = .configuration
    case .resource(let kind, _): self = .resources(kind)
    }
  }
}

/// What a stream tells of.
public struct WatchInterest: Hashable, Sendable {
  /// Every entry of these kinds.
  public var kinds: Set<EntryKind>
  /// Single entries of other kinds, whether they exist or not. A key whose kind is watched is told with its kind.
  public var keys: Set<Key>

  public init(_ kinds: Set<EntryKind>, keys: Set<Key> = []) {
    self.kinds = kinds
    self.keys = keys
  }

  /// The kinds in the order in which a driver that can tells of them: what others refer to comes before what refers to it.
  public var orderedKinds: [EntryKind] {
    let order: [EntryKind] =
      [.configuration] + ResourceKind.allCases.map { .resources($0) } + [.blocks, .affinities, .handles]
    return order.filter(kinds.contains)
  }

  /// The keys that are not told with their kind.
  public var singleKeys: Set<Key> {
    if kinds.isEmpty { return keys }
    return keys.filter { !kinds.contains(EntryKind(of: $0)) }
  }
}

/// Where a stream ended: for each kind and each single entry, up to which revision it has told everything.
public struct WatchCursor: Hashable, Sendable {
  public var positions: [EntryKind: Revision]
  public var keys: [Key: Revision]

  public init(_ positions: [EntryKind: Revision], keys: [Key: Revision] = [:]) {
    self.positions = positions
    self.keys = keys
  }
}

/// What a watch reports.
public enum WatchEvent: Sendable {
  /// All entries of a kind, at the start and whenever the changes since the last event cannot be told any more.
  case snapshot(EntryKind, [ListResult.Item], Revision)
  /// An entry was written, or is gone when there is no value. A key that is watched by itself is also told when nothing
  /// is known of what happened to it before: at the start, and after a gap, in the place of a snapshot.
  case change(Key, Stored?)
  /// Everything up to this position has been told.
  case bookmark(WatchCursor)
}

/// A bounded stream of events; several changes of one entry that nobody has looked at yet become one.
///
/// It ends by throwing ``DatastoreError`` when the store is lost, or when the iterating task is cancelled.
public struct WatchStream: AsyncSequence, Sendable {
  public typealias Element = WatchEvent

  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let next: @Sendable () async throws -> [WatchEvent]?
    private var pending: ArraySlice<WatchEvent> = []

    fileprivate init(next: @escaping @Sendable () async throws -> [WatchEvent]?) {
      self.next = next
    }

    public mutating func next() async throws -> WatchEvent? {
      while pending.isEmpty {
        guard let events = try await next() else { return nil }
        pending = events[...]
      }
      return pending.removeFirst()
    }
  }

  private let makeNext: @Sendable () -> @Sendable () async throws -> [WatchEvent]?

  /// A stream.
  ///
  /// - Parameter makeNext: makes, for each iteration, a function that waits for the next events and returns them, or
  ///   nil at the end.
  public init(_ makeNext: @escaping @Sendable () -> @Sendable () async throws -> [WatchEvent]?) {
    self.makeNext = makeNext
  }

  public func makeAsyncIterator() -> Iterator { Iterator(next: makeNext()) }
}
