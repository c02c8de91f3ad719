import CalicoModel
public import Datastore
import JSON

/// Reads everything of a datastore that moves.
public struct MigrationExport: Sendable {
  private let store: any Datastore
  private let lock: MigrationLock
  private let progress: @Sendable (MigrationProgress) -> Void

  /// An export.
  ///
  /// - Parameters:
  ///   - store: the datastore.
  ///   - lock: its lock.
  ///   - progress: is told at every entry how far it is.
  public init(
    _ store: any Datastore, lock: MigrationLock, progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
  ) {
    self.store = store
    self.lock = lock
    self.progress = progress
  }

  /// Reads everything, twice: what changed in between would be in no state that ever was.
  ///
  /// - Returns: the document, with nodes renamed to what Kubernetes calls them.
  /// - Throws: ``MigrationError``: `unlocked`, `unreadable`, `unsuitable` or `datastore`.
  public func document() async throws(MigrationError) -> MigrationDocument {
    guard try await lock.isHeld() else {
      throw MigrationError(
        .unlocked,
        "datastore is not locked. Run the `ipamctl datastore migrate lock` command in order to begin migration")
    }
    let progress = progress
    let reading = MigrationReading(store) { progress(MigrationProgress(.reading, $0)) }
    var resources: [Resource] = []
    for kind in MigrationDocument.kinds { resources += try await reading.resources(kind).map(\.resource) }
    let renaming = try NodeRenaming(nodes: resources.filter { $0.kind == .node })
    resources = resources.map { renaming.renamed(Self.portable($0)) }
    var revisions: [Key: Revision] = [:]
    var entries: [MigrationEntry] = []
    try await reading.forEachEntry { key, stored throws(MigrationError) in
      let entry = MigrationEntry(key, stored.bytes)
      // What cannot be understood is told of before anything is written.
      if try entry.value().isBeingDeleted { return }
      revisions[key] = stored.revision
      entries.append(try renaming.renamed(entry))
    }
    try Self.checkUniqueness(entries)
    try await checkUnchanged(revisions)
    return MigrationDocument(
      resources: resources, clusterInformation: try await clusterInformation(reading), entries: entries)
  }

  /// Reads a second time.
  private func checkUnchanged(_ revisions: [Key: Revision]) async throws(MigrationError) {
    let progress = progress
    let reading = MigrationReading(store) { progress(MigrationProgress(.comparing, $0, of: revisions.count)) }
    var count = 0
    try await reading.forEachEntry { key, stored throws(MigrationError) in
      if try MigrationEntry(key, stored.bytes).value().isBeingDeleted { return }
      count += 1
      if revisions[key] != stored.revision { throw Self.changed(key) }
    }
    if count != revisions.count { throw Self.changed(nil) }
  }

  private static func changed(_ key: Key?) -> MigrationError {
    MigrationError(
      .unreadable,
      "\(key.map { "\($0) was" } ?? "entries were") changed while the datastore was read: stop what gives addresses out, "
        + "on every host, and export again")
  }

  /// Two nodes or handles may have come to have one name.
  private static func checkUniqueness(_ entries: [MigrationEntry]) throws(MigrationError) {
    var seen: Set<Key> = []
    for entry in entries where !seen.insert(entry.key).inserted {
      throw MigrationError(
        .unsuitable, "with nodes called as Kubernetes does, there would be two of \(entry.key); delete one of them")
    }
  }

  private func clusterInformation(_ reading: MigrationReading) async throws(MigrationError) -> Resource {
    guard let stored = try await reading.entry(MigrationLock.key) else {
      return Resource(.clusterInformation, name: "default", specification: [:])
    }
    do throws(ResourceError) {
      return try Resource(stored: stored.bytes, kind: .clusterInformation, name: "default")
    } catch {
      throw MigrationError(.unreadable, "\(error)")
    }
  }

  /// A resource without what belongs to the datastore that it was read from.
  private static func portable(_ resource: Resource) -> Resource {
    var resource = resource
    var metadata = resource.metadata
    let keys = [
      "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
      "managedFields", "selfLink",
    ]
    for key in keys { metadata[key] = nil }
    resource.metadata = metadata
    return resource
  }
}
