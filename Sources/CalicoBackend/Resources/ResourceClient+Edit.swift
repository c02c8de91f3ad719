public import CalicoModel
import Datastore

extension ResourceClient {
  /// Changes a resource that exists: reads it, and writes what becomes of it.
  ///
  /// - Parameters:
  ///   - kind: its kind.
  ///   - name: its name.
  ///   - attempts: how often it is read and changed anew when others write it at the same time.
  ///   - change: what becomes of the resource, which comes with its resource version; another version in the result must be
  ///     the stored one as well. It may be called several times.
  /// - Returns: the resource as it is stored.
  /// - Throws: `ResourceError`: `invalid`, `doesNotExist`, `updateConflict`, `unreadable`, `datastore` or `unconfirmed`; or
  ///   what `change` throws.
  @discardableResult
  public func edit(
    _ kind: ResourceKind, _ name: String, attempts: Int = 1, _ change: (Resource) throws -> Resource
  ) async throws -> Resource {
    var attempt = 1
    while true {
      do {
        guard let stored = try await load(kind, name) else { throw ResourceError.doesNotExist(.resource(kind, name)) }
        return try await write(try change(stored.resource.withReadDefaults), over: stored)
      } catch let error as ResourceError {
        guard case .updateConflict = error.code, attempt < attempts else { throw error }
      }
      attempt += 1
    }
  }

  /// Creates a pool that may lie in another one, or over blocks of another size: a part of a pool that is being split
  /// (Calico IPAM specification, section 4.1.4).
  ///
  /// - Parameter pool: the pool; everything that concerns it alone is checked.
  /// - Returns: the pool as it is stored.
  /// - Throws: `ResourceError`: `invalid`, `alreadyExists`, `datastore` or `unconfirmed`.
  public func createOverlapping(_ pool: Resource) async throws(ResourceError) -> Resource {
    try pool.validateForCreation()
    var new = try IPPoolRules.prepared(pool)
    new.metadata = new.metadata.reduced(to: ["name", "labels", "annotations"])
    try new.validate()
    return try await put(created(new), over: nil)
  }

  /// Deletes a pool and nothing else: its blocks belong to whom they belonged to (Calico IPAM specification, section
  /// 4.1.4).
  ///
  /// - Parameter pool: the pool, with the resource version that it must have.
  /// - Throws: `ResourceError`: `doesNotExist`, `updateConflict`, `datastore` or `unconfirmed`.
  public func deleteKeepingAffinities(_ pool: Resource) async throws(ResourceError) {
    guard let stored = try await load(.ipPool, pool.name) else { throw .doesNotExist(pool.key) }
    if stored.revision.token != pool.resourceVersion { throw .updateConflict(pool.key) }
    _ = try await commit([Change(pool.key, base: .revision(stored.revision), final: .delete)])
  }
}
