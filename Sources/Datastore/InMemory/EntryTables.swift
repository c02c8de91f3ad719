import CalicoModel

/// A path as bytes: `String` takes different spellings of a character for equal, and etcd does not.
struct EntryPath: Hashable, Comparable {
  let bytes: [UInt8]

  init(_ path: String) { bytes = Array(path.utf8) }

  init(_ key: Key) { self.init(KeyPath.path(of: key)) }

  static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

/// What is kept of an entry.
struct StoredBytes {
  var bytes: [UInt8]
  var revision: Int64

  var stored: Stored { Stored(bytes: bytes, revision: Revision(revision)) }
}

/// The entries of one kind.
private struct EntryTable {
  struct Entry {
    var key: Key?
    var content: StoredBytes
  }

  var entries: [EntryPath: Entry] = [:]
  /// All paths in order, from the first listing on: what is never listed need not be kept in order.
  private var order: [EntryPath]?

  mutating func put(_ entry: Entry, at path: EntryPath) {
    let isNew = entries.updateValue(entry, forKey: path) == nil
    if isNew, let place = order?.place(of: path) { order?.insert(path, at: place) }
  }

  /// Removes an entry.
  ///
  /// - Returns: whether it was there.
  mutating func remove(_ path: EntryPath) -> Bool {
    guard entries.removeValue(forKey: path) != nil else { return false }
    if let place = order?.place(of: path) { order?.remove(at: place) }
    return true
  }

  mutating func sorted() -> [EntryPath] {
    if let order { return order }
    let sorted = entries.keys.sorted()
    order = sorted
    return sorted
  }
}

extension [EntryPath] {
  /// Where a path is in a sorted array, or would be.
  fileprivate func place(of path: EntryPath) -> Int {
    var low = startIndex
    var high = endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if self[middle] < path { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// All entries of a store, by path.
struct EntryTables {
  /// By kind; nil is what no key names.
  private var tables: [EntryKind?: EntryTable] = [:]

  subscript(_ path: EntryPath) -> StoredBytes? {
    tables[Self.key(of: path).map { EntryKind(of: $0) }]?.entries[path]?.content
  }

  /// The key of a path, unless another path is that key's.
  private static func key(of path: EntryPath) -> Key? {
    let key = KeyPath.key(of: String(decoding: path.bytes, as: UTF8.self))
    return key.flatMap { EntryPath($0) == path ? $0 : nil }
  }

  /// Creates or replaces an entry.
  ///
  /// - Returns: its key, if it has one.
  mutating func put(_ content: StoredBytes, at path: EntryPath) -> Key? {
    let key = Self.key(of: path)
    tables[key.map { EntryKind(of: $0) }, default: EntryTable()].put(.init(key: key, content: content), at: path)
    return key
  }

  /// Removes an entry.
  ///
  /// - Returns: its key, if it was there and has one.
  mutating func remove(_ path: EntryPath) -> Key? {
    let key = Self.key(of: path)
    return tables[key.map { EntryKind(of: $0) }]?.remove(path) == true ? key : nil
  }

  func dump() -> [String: [UInt8]] {
    var dump: [String: [UInt8]] = [:]
    for table in tables.values {
      for (path, entry) in table.entries {
        dump[String(decoding: path.bytes, as: UTF8.self)] = entry.content.bytes
      }
    }
    return dump
  }

  /// All entries of a kind in the order of their paths.
  mutating func items(of kind: EntryKind) -> [ListResult.Item] {
    let paths = tables[kind]?.sorted() ?? []
    return paths.compactMap { path in
      guard let entry = tables[kind]?.entries[path], let key = entry.key else { return nil }
      return ListResult.Item(key: key, stored: entry.content.stored)
    }
  }

  mutating func list(_ listing: Listing) -> ListResult {
    let prefix = EntryPath(listing.scope.pathPrefix)
    guard let paths = tables[listing.scope.kind]?.sorted(), let table = tables[listing.scope.kind] else {
      return ListResult(items: [])
    }
    let after = listing.after.map { EntryPath($0) }
    var result = ListResult(items: [])
    for path in paths[paths.place(of: max(prefix, after ?? prefix))...] where path != after {
      guard path.bytes.starts(with: prefix.bytes) else { break }
      guard let entry = table.entries[path], let key = entry.key, listing.scope.contains(key) else { continue }
      if result.items.count == listing.limit {
        result.hasMore = true
        break
      }
      let stored = listing.contents == .values ? entry.content.stored : nil
      result.items.append(ListResult.Item(key: key, stored: stored))
    }
    return result
  }
}
