import CalicoModel
import Datastore

/// A resource as it is stored.
struct StoredResource {
  var resource: Resource
  /// The revision of the entry that counts.
  var revision: Revision
  /// For an IPAMConfiguration, what address management reads, and the revision of the entry beside it.
  var configuration: IPAMConfiguration?
  var resourceRevision: Revision?
}

extension ResourceClient {
  /// Reads a resource, or that there is none.
  func load(_ kind: ResourceKind, _ name: String) async throws(ResourceError) -> StoredResource? {
    if kind == .ipamConfiguration { return try await loadConfiguration(name) }
    guard let stored = try await entries([.resource(kind, name)])[0] else { return nil }
    return StoredResource(
      resource: try Resource(stored: stored, kind: kind, name: name), revision: stored.revision)
  }

  /// Reads entries; nil for those that are not there.
  func entries(_ keys: [Key]) async throws(ResourceError) -> [Stored?] {
    try await read(keys.map { .entry($0) }).map { result in
      guard case .entry(let stored) = result else { return nil }
      return stored
    }
  }

  /// Reads a range.
  func items(_ scope: Listing.Scope) async throws(ResourceError) -> [ListResult.Item] {
    try await read([.list(Listing(scope))])[0].items
  }

  func read(_ reads: [Read]) async throws(ResourceError) -> [ReadResult] {
    do {
      return try await datastore.read(reads, deadline: deadline)
    } catch {
      throw Self.unreachable(error)
    }
  }

  /// Makes changes that must be on disk afterwards.
  ///
  /// - Parameter changes: the first one is that of the entry that counts.
  /// - Returns: the revisions of what now exists.
  /// - Throws: `ResourceError`: `alreadyExists` or `updateConflict`, as the first change demands, `datastore`, or
  ///   `unconfirmed` when the connection broke and what is stored is not what was to be written.
  func commit(_ changes: [Change]) async throws(ResourceError) -> [Key: Revision] {
    let outcome: Outcome
    do {
      outcome = try await datastore.commit(Plan(changes, durability: .disk), deadline: deadline)
    } catch {
      throw Self.unreachable(error)
    }
    switch outcome {
    case .applied(let revisions): return revisions
    case .conflict(let key, _):
      let isCreation = changes.first?.key == key && changes.first?.base == .absent
      throw isCreation ? .alreadyExists(Self.shown(key)) : .updateConflict(Self.shown(key))
    case .unknown: return try await settle(changes)
    }
  }

  /// Finds out whether changes were made whose answer was lost.
  ///
  /// A resource that was created carries an identifier of its own, so equal bytes are ours; an updated one says what it
  /// was to say, whoever wrote it.
  private func settle(_ changes: [Change]) async throws(ResourceError) -> [Key: Revision] {
    var revisions: [Key: Revision] = [:]
    let found = try await entries(changes.map(\.key))
    for (change, stored) in zip(changes, found) {
      switch (change.final, stored) {
      case (.delete, nil): continue
      case (.value(let value), .some(let stored)) where stored.bytes == value.encoded():
        revisions[change.key] = stored.revision
      default:
        let key = Self.shown(change.key)
        throw ResourceError(
          .unconfirmed(key),
          "the connection broke while \(key) was being written, and the store does not show the change")
      }
    }
    return revisions
  }

  /// The key in the words of the person who asked: the switches are an IPAMConfiguration.
  private static func shown(_ key: Key) -> Key {
    key == .configuration ? .resource(.ipamConfiguration, "default") : key
  }

  /// A driver's error, in the words of the originals where they have any (Calico IPAM specification, section 5.1).
  private static func unreachable(_ error: any Error) -> ResourceError {
    guard let error = error as? DatastoreError else { return ResourceError(.datastore, "\(error)") }
    switch error.code {
    case .unsupported: return ResourceError(.unsupported, error.description)
    case .forbidden: return ResourceError(.datastore, "connection is unauthorized: \(error.description)")
    case .unavailable, .unusable: return ResourceError(.datastore, error.description)
    }
  }
}

extension ReadResult {
  /// The items of a list; none for an entry.
  var items: [ListResult.Item] {
    guard case .list(let result) = self else { return [] }
    return result.items
  }
}
