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
  private func scanListing(
    _ scope: Listing.Scope, millisecondsPerPage milliseconds: UInt64, _ body: (ScannedEntry) throws -> Void
  ) async throws {
    var listing = Listing(scope, limit: scope.entriesPerPage)
    while true {
      let results = try await read([.list(listing)], deadline: .after(milliseconds: milliseconds))
      guard case .list(let list)? = results.first else { return }
      for item in list.items {
        if let stored = item.stored { try body(.entry(item.key, stored)) }
      }
      guard list.hasMore, let last = list.items.last else { return }
      listing.after = last.key
    }
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
  /// How many entries make a page of about a megabyte: a full block has 16 KiB, everything else is small.
  fileprivate var entriesPerPage: Int {
    if case .blocks = self { 256 } else { 2048 }
  }
}
