public import CalicoModel
import IPAddressing

/// What a scan comes across.
public enum ScannedEntry: Sendable {
  case entry(Key, Stored)
  /// An entry whose deletion was begun and not finished: to everybody it is gone.
  case halfDeleted(Key, Stored)
  /// Something that is no entry, though it has its place: what it is called, and why it cannot be read.
  case unreadable(name: String, reason: String)
}

extension Datastore {
  /// Hands over a listing page by page; the next one is asked for while one is gone through.
  private func scanListing(
    _ scope: Listing.Scope, millisecondsPerPage milliseconds: UInt64, _ body: (ScannedEntry) throws -> Void
  ) async throws {
    var list = try await page(scope, after: nil, milliseconds)
    while true {
      let current = list
      async let following = self.page(scope, behind: current, milliseconds)
      for item in current.items {
        if let stored = item.stored { try body(.entry(item.key, stored)) }
      }
      guard let next = try await following else { return }
      list = next
    }
  }

  private func page(
    _ scope: Listing.Scope, behind list: ListResult, _ milliseconds: UInt64
  ) async throws -> ListResult? {
    guard list.hasMore, let last = list.items.last else { return nil }
    return try await page(scope, after: last.key, milliseconds)
  }

  private func page(_ scope: Listing.Scope, after: Key?, _ milliseconds: UInt64) async throws -> ListResult {
    var listing = Listing(scope, limit: scope.entriesPerPage)
    listing.after = after
    let results = try await read([.list(listing)], deadline: .after(milliseconds: milliseconds))
    guard case .list(let list)? = results.first else { return ListResult(items: []) }
    return list
  }

  public func scan(
    _ scope: Listing.Scope, millisecondsPerPage milliseconds: UInt64, _ body: (ScannedEntry) throws -> Void
  ) async throws {
    // The order of paths goes by family, and a listing of both cannot be gone on with everywhere.
    guard case .blocks(nil) = scope else {
      return try await scanListing(scope, millisecondsPerPage: milliseconds, body)
    }
    try await scanListing(.blocks(.v4), millisecondsPerPage: milliseconds, body)
    try await scanListing(.blocks(.v6), millisecondsPerPage: milliseconds, body)
  }
}

extension Listing.Scope {
  /// How many entries make a page of a few megabytes: a full block has 16 KiB, everything else is small. For each page
  /// etcd counts all entries that follow.
  fileprivate var entriesPerPage: Int {
    if case .blocks = self { 256 } else { 8192 }
  }
}
