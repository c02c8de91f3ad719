import CalicoModel
import Datastore
import IPAddressing

/// Reads whole kinds of entries, a page at a time.
struct MigrationReading: Sendable {
  /// How long one exchange with the datastore may take, in milliseconds.
  private static let patience: UInt64 = 90_000
  /// How many entries are read at once: a full block has 16 KiB.
  private static let pageSize = 256

  /// What is read of address management, in the order in which it is written.
  static let scopes: [Listing.Scope] = [
    .allAffinities(.host), .allAffinities(.virtual), .blocks(.v4), .blocks(.v6), .handles,
  ]

  static var deadline: Deadline { .after(milliseconds: patience) }

  private let store: any Datastore
  /// Is told how many entries of address management were read so far.
  private let progress: @Sendable (Int) -> Void

  init(_ store: any Datastore, progress: @escaping @Sendable (Int) -> Void = { _ in }) {
    self.store = store
    self.progress = progress
  }

  func entry(_ key: Key) async throws(MigrationError) -> Stored? {
    guard case .entry(let stored)? = try await read([.entry(key)]).first else { return nil }
    return stored
  }

  /// Reads entries; nil for those that are not there.
  func entries(_ keys: [Key]) async throws(MigrationError) -> [Stored?] {
    try await read(keys.map { .entry($0) }).map { result in
      guard case .entry(let stored) = result else { return nil }
      return stored
    }
  }

  /// Hands over every entry of a range, in the order of keys.
  func forEach(
    _ scope: Listing.Scope, _ body: (Key, Stored) throws(MigrationError) -> Void
  ) async throws(MigrationError) {
    var listing = Listing(scope, limit: Self.pageSize)
    while true {
      guard case .list(let page)? = try await read([.list(listing)]).first else { return }
      for item in page.items {
        if let stored = item.stored { try body(item.key, stored) }
      }
      guard page.hasMore, let last = page.items.last else { return }
      listing.after = last.key
    }
  }

  /// Hands over every entry of address management: affinities, blocks, handles, and the switches.
  func forEachEntry(_ body: (Key, Stored) throws(MigrationError) -> Void) async throws(MigrationError) {
    var count = 0
    for scope in Self.scopes {
      try await forEach(scope) { key, stored throws(MigrationError) in
        count += 1
        progress(count)
        try body(key, stored)
      }
    }
    if let stored = try await entry(.configuration) { try body(.configuration, stored) }
  }

  /// All resources of a kind.
  func resources(_ kind: ResourceKind) async throws(MigrationError) -> [(resource: Resource, stored: Stored)] {
    var found: [(Resource, Stored)] = []
    try await forEach(.resources(kind)) { key, stored throws(MigrationError) in
      guard case .resource(_, let name) = key else { return }
      do throws(ResourceError) {
        found.append((try Resource(stored: stored.bytes, kind: kind, name: name), stored))
      } catch {
        throw MigrationError(.unreadable, "\(error); repair or delete it, for what is in it cannot be moved")
      }
    }
    return found
  }

  private func read(_ reads: [Read]) async throws(MigrationError) -> [ReadResult] {
    do {
      return try await store.read(reads, deadline: Self.deadline)
    } catch {
      throw MigrationError(.datastore, Self.text(error))
    }
  }

  /// A driver's error, with what to do about it.
  static func text(_ error: any Error) -> String {
    guard let error = error as? DatastoreError, !error.advice.isEmpty else { return "\(error)" }
    return "\(error.description); \(error.advice)"
  }
}
