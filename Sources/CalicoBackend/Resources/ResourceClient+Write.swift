public import CalicoModel
import Datastore
import IPAddressing
import JSON

extension ResourceClient {
  /// Creates a resource.
  ///
  /// Of the document's metadata only name, labels and annotations count; identifier and time of creation are new
  /// (calicoctl specification, section 4.3).
  ///
  /// - Parameter resource: what to create.
  /// - Returns: the resource as it is stored.
  /// - Throws: `ResourceError`: `invalid`, `alreadyExists`, `datastore` or `unconfirmed`.
  public func create(_ resource: Resource) async throws -> Resource {
    await initializeIfPossible()
    return try await insert(resource)
  }

  /// Creates a resource, or replaces the one that exists.
  ///
  /// - Parameter resource: what to write; a resource version in it counts only when the resource exists.
  /// - Returns: the resource as it is stored.
  /// - Throws: `ResourceError` as ``create(_:)`` and ``replace(_:)`` do, except `alreadyExists`.
  public func apply(_ resource: Resource) async throws -> Resource {
    await initializeIfPossible()
    var new = resource
    new.resourceVersion = nil
    do throws(ResourceError) {
      return try await insert(new)
    } catch {
      switch error.code {
      case .alreadyExists(resource.key), .unsupported: return try await overwrite(resource)
      default: throw error
      }
    }
  }

  /// Replaces a resource that exists.
  ///
  /// Labels and annotations are those of the document, all other metadata stays. Members of the stored resource that
  /// this version does not know stay, and so does its status unless the document has one.
  ///
  /// With a resource version in the document, that must be the stored one. Without, a write that another one got ahead of
  /// is repeated, ``attempts`` times in all.
  ///
  /// - Parameter resource: what to write.
  /// - Returns: the resource as it is stored.
  /// - Throws: `ResourceError`: `invalid`, `doesNotExist`, `updateConflict`, `unreadable`, `datastore` or `unconfirmed`.
  public func replace(_ resource: Resource) async throws -> Resource {
    await initializeIfPossible()
    return try await overwrite(resource)
  }

  /// Writes a resource back that was read and changed.
  ///
  /// - Parameter resource: the whole resource, metadata and all, with the resource version it was read at.
  /// - Returns: the resource as it is stored.
  /// - Throws: `ResourceError`: `invalid`, `doesNotExist`, `updateConflict`, `unreadable`, `datastore` or `unconfirmed`.
  public func update(_ resource: Resource) async throws(ResourceError) -> Resource {
    try resource.validateForUpdate()
    guard let old = try await load(resource.kind, resource.name) else { throw .doesNotExist(resource.key) }
    return try await write(resource, over: old)
  }
}

// MARK: - Steps

extension ResourceClient {
  /// Creates a resource in a store that has been initialised.
  private func insert(_ resource: Resource) async throws(ResourceError) -> Resource {
    try Self.checkKind(resource)
    if resource.kind == .node, configurationPlaces == .keyAlone {
      throw ResourceError(
        .unsupported, "operation Create is not supported on \(resource.key): nodes are made by Kubernetes")
    }
    try resource.validateForCreation()
    var new = resource
    new.metadata = resource.metadata.reduced(to: ["name", "labels", "annotations"])
    if new.kind == .ipPool { new = try await preparedPool(new) }
    try new.validate()
    new = created(new)
    return try await put(new, over: nil)
  }

  /// Makes the checks of a new pool that need the pools and the blocks there are (Calico IPAM specification, section
  /// 4.1.2).
  private func preparedPool(_ pool: Resource) async throws(ResourceError) -> Resource {
    guard let family = pool.specification["cidr"]?.stringValue.flatMap({ CIDR($0) })?.address.family else {
      // Without a range there is nothing to compare with.
      return try IPPoolRules.prepared(pool)
    }
    let found = try await read([
      .list(Listing(.resources(.ipPool))), .list(Listing(.blocks(family), .keys)),
    ])
    var others: [IPPool] = []
    var blocks: [CIDR] = []
    for item in found.flatMap(\.items) {
      switch (item.key, item.stored) {
      case (.resource(_, let name), .some(let stored)):
        if let other = Self.occupant(stored, name) { others.append(other) }
      case (.block(let cidr), _): blocks.append(cidr)
      default: continue
      }
    }
    let prepared = try IPPoolRules.prepared(pool, beside: others)
    try prepared.validate()
    try IPPoolRules.checkBlocks(blocks, for: prepared)
    return prepared
  }

  /// A pool that there is, or as much of it as can be read: a mistake elsewhere in it does not free its range. One whose
  /// range cannot be read stands in nobody's way.
  private static func occupant(_ stored: Stored, _ name: String) -> IPPool? {
    if let pool = try? IPPool(decoding: stored.bytes, name: name) { return pool }
    guard let specification = (try? JSON(parsing: stored.bytes))?.objectValue?["spec"]?.objectValue,
      let range = specification["cidr"]
    else { return nil }
    let remainder: JSON = ["spec": ["cidr": range]]
    return try? IPPool(decoding: remainder.encoded(), name: name)
  }

  private func overwrite(_ resource: Resource) async throws -> Resource {
    try Self.checkKind(resource)
    var attempt = 1
    while true {
      do throws(ResourceError) {
        guard let old = try await load(resource.kind, resource.name) else { throw .doesNotExist(resource.key) }
        return try await write(resource.replacing(old.resource), over: old)
      } catch {
        guard case .updateConflict = error.code, resource.resourceVersion == nil, attempt < Self.attempts else {
          throw error
        }
      }
      attempt += 1
      try await surroundings.pause(Self.conflictPause)
    }
  }

  /// Writes a resource, whose resource version must be the stored one, over what is stored.
  func write(_ resource: Resource, over old: StoredResource) async throws(ResourceError) -> Resource {
    if resource.resourceVersion != old.revision.token { throw .updateConflict(resource.key) }
    // Old data, and switches that `ipam configure` made, may lack what an update of the originals insists on.
    var new = created(resource)
    if new.kind == .ipPool { new = try IPPoolRules.prepared(new, replacing: old.resource) }
    try new.validate()
    return try await put(new, over: old)
  }

  /// Stores a resource as it is, without checking it.
  func put(_ resource: Resource, over old: StoredResource?) async throws(ResourceError) -> Resource {
    var result = resource
    if resource.kind == .ipamConfiguration {
      let revisions = try await commit(try await configurationChanges(resource, replacing: old))
      result.resourceVersion = revisions[.configuration]?.token
    } else {
      let base = old.map { Base.revision($0.revision) } ?? .absent
      let revisions = try await commit([Change(resource.key, base: base, final: .value(.resource(resource.encoded())))])
      result.resourceVersion = revisions[resource.key]?.token
    }
    result.document = result.arrangedDocument
    return result
  }

  /// Refuses kinds that are not resources in this sense (calicoctl specification, section 4.1).
  static func checkKind(_ resource: Resource) throws(ResourceError) {
    if resource.kind == .blockAffinity {
      throw ResourceError(.unsupported, "operation Create is not supported on \(resource.key)")
    }
  }
}
