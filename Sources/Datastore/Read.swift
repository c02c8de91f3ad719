public import CalicoModel
public import IPAddressing

/// One thing to read.
public enum Read: Hashable, Sendable {
  /// An entry, or that there is none.
  case entry(Key)
  /// Entries of a kind, in the order of their keys.
  case list(Listing)
}

/// A range of entries to read.
public struct Listing: Hashable, Sendable {
  public enum Scope: Hashable, Sendable {
    /// The blocks of one family, or of both.
    case blocks(AddressFamily?)
    /// The affinities of one owner and family, or of both families.
    case affinities(BlockOwner, AddressFamily?)
    /// The affinities of all owners of a kind.
    case allAffinities(BlockOwner.Kind)
    case handles
    case resources(ResourceKind)
  }

  public var scope: Scope
  /// The last key that is not wanted any more; nil to begin at the first.
  public var after: Key?
  /// The most entries to return; nil for all.
  public var limit: Int?
  /// Whether the values are wanted, or only the keys.
  public var contents: Contents
  /// Whether entries will do as they were a moment ago, where the latest have to be waited for. A driver that has no such
  /// choice returns the latest.
  public var mayLag = false

  public enum Contents: Hashable, Sendable {
    case keys
    case values
  }

  public init(_ scope: Scope, _ contents: Contents = .values, after: Key? = nil, limit: Int? = nil) {
    self.scope = scope
    self.contents = contents
    self.after = after
    self.limit = limit
  }
}

/// What one ``Read`` gave.
public enum ReadResult: Sendable {
  /// An entry; nil when there is none.
  case entry(Stored?)
  case list(ListResult)
}

/// What a listing gave, in the order of the keys' paths.
public struct ListResult: Sendable {
  public struct Item: Sendable {
    public var key: Key
    /// Nil when only keys were asked for.
    public var stored: Stored?

    public init(key: Key, stored: Stored?) {
      self.key = key
      self.stored = stored
    }
  }

  public var items: [Item]
  /// Whether the limit cut off more.
  public var hasMore: Bool

  public init(items: [Item], hasMore: Bool = false) {
    self.items = items
    self.hasMore = hasMore
  }
}
