import CalicoModel
import Datastore
import IPAddressing
import KubernetesClient
import Synchronization

/// What is left of a listing that a limit cut off, for whoever asks for what follows.
struct ListingRest: Sendable {
  /// The last key that was told.
  var after: Key
  var contents: Listing.Contents
  var items: [ListResult.Item]
  var until: Deadline
}

extension KubernetesDatastore {
  /// How long the rest of a listing is good for: as long as a server keeps what it needs to go on with a list.
  private static let restMilliseconds: UInt64 = 60_000

  /// The entries of a range, in the order of the paths that they have in etcd, which is not the server's order.
  func list(_ listing: Listing, _ form: EntryForm, deadline: Deadline) async throws(DatastoreError) -> ListResult {
    var items: [ListResult.Item]
    if let rest = takeRest(of: listing) {
      items = rest
    } else {
      items = try await allItems(listing, form, deadline: deadline)
      if let after = listing.after {
        let path = KeyPath.path(of: after)
        items.removeAll { !path.utf8.lexicographicallyPrecedes(KeyPath.path(of: $0.key).utf8) }
      }
    }
    guard let limit = listing.limit, items.count > limit else { return ListResult(items: items) }
    let page = Array(items.prefix(limit))
    if let last = page.last {
      let rest = ListingRest(
        after: last.key, contents: listing.contents, items: Array(items.dropFirst(limit)),
        until: .after(milliseconds: Self.restMilliseconds))
      state.withLock { $0.rests[listing.scope] = rest }
    }
    return ListResult(items: page, hasMore: true)
  }

  private func takeRest(of listing: Listing) -> [ListResult.Item]? {
    guard listing.limit != nil, let after = listing.after else { return nil }
    return state.withLock { state in
      guard let rest = state.rests[listing.scope], rest.after == after, rest.contents == listing.contents else {
        return nil
      }
      state.rests[listing.scope] = nil
      return rest.until.hasPassed ? nil : rest.items
    }
  }

  private func allItems(
    _ listing: Listing, _ form: EntryForm, deadline: Deadline
  ) async throws(DatastoreError) -> [ListResult.Item] {
    var items: [ListResult.Item]
    switch (listing.contents, listing.scope) {
    case (.keys, .blocks), (.keys, .resources):
      let keys = try await keys(listing.scope, form, deadline: deadline)
      items = keys.map { ListResult.Item(key: $0, stored: nil) }
    default:
      let entries = try await entries(listing.scope, mayLag: listing.mayLag, form, deadline: deadline).entries
      if listing.scope == .resources(.ipPool) { noteLag(of: entries, mayLag: listing.mayLag) }
      items = entries.map { ListResult.Item(key: $0.key, stored: listing.contents == .keys ? nil : $0.stored) }
    }
    items.removeAll { !listing.scope.contains($0.key) }
    return Self.inPathOrder(items)
  }

  static func inPathOrder(_ items: [ListResult.Item]) -> [ListResult.Item] {
    items.map { (path: Array(KeyPath.path(of: $0.key).utf8), item: $0) }
      .sorted { $0.path.lexicographicallyPrecedes($1.path) }
      .map(\.item)
  }

  // MARK: - Values

  /// All entries of a collection, as far as its labels tell them apart, without those that are half deleted: their
  /// deletion is finished.
  ///
  /// - Returns: the entries in the server's order, and the revision of the collection.
  func entries(
    _ scope: Listing.Scope, selector: String? = nil, mayLag: Bool = false, _ form: EntryForm, deadline: Deadline
  ) async throws(DatastoreError) -> (entries: [DecodedEntry], revision: String) {
    let kind = scope.objectKind
    let target = RequestTarget(verb: "list", kind: kind, name: nil, group: form.group)
    var entries: [DecodedEntry] = []
    var halfDeleted: [DecodedEntry] = []
    let revision = try await objects(
      kind.path(in: form.group), selector: selector ?? scope.selector, mayLag: mayLag, target, deadline: deadline
    ) { object throws(ObjectError) in
      guard let entry = try form.decode(object, scope) else { return }
      if entry.isDeleted { halfDeleted.append(entry) } else { entries.append(entry) }
    }
    guard let revision else {
      try requireDefinition(of: scope, target)
      return ([], "")
    }
    await finishDeletions(halfDeleted, form, deadline: deadline)
    for entry in entries { remember(entry, keepsBody: false) }
    return (entries, revision)
  }

  /// Refuses to take a collection that the server does not have for an empty one, where nobody can go on without it: that
  /// there are no pools would send people to look for the wrong thing.
  func requireDefinition(of scope: Listing.Scope, _ target: RequestTarget) throws(DatastoreError) {
    guard scope == .resources(.ipPool), !options.usesPodCIDR else { return }
    throw target.missingDefinition
  }

  /// Reads a collection page by page. Where a page's token has expired, it is read again as a whole.
  ///
  /// The latest state costs up to a tenth of a second: the server answers from a copy of its store, and waits until the
  /// store tells that nothing has happened which the copy does not have. What may lag is answered from the copy at once.
  ///
  /// - Returns: the collection's revision; nil when there is no such collection.
  func objects(
    _ path: String, selector: String? = nil, fieldSelector: String? = nil, mayLag: Bool = false,
    _ target: RequestTarget, deadline: Deadline, _ body: (KubernetesObject) throws(ObjectError) -> Void
  ) async throws(DatastoreError) -> String? {
    var pages: [[UInt8]] = []
    var token: String?
    var limit: String? = "500"
    var revision = ""
    repeat {
      let query = ResourcePath.query(
        path,
        [
          ("labelSelector", selector), ("fieldSelector", fieldSelector), ("limit", limit), ("continue", token),
          ("resourceVersion", mayLag && token == nil ? "0" : nil),
        ])
      switch await server.read(KubernetesRequest(.get, query), target, deadline: deadline) {
      case .done(let page):
        do throws(ObjectError) {
          let members = try JSONMembers(page[...])
          let metadata = try members.object("metadata")
          revision = try metadata.string("resourceVersion") ?? ""
          token = try metadata.string("continue")
          if token?.isEmpty ?? false { token = nil }
        } catch {
          throw target.error(error)
        }
        pages.append(page)
      case .refused(let status) where status.code == 410 && token != nil:
        (pages, token, limit) = ([], nil, nil)
        continue
      case .refused(let status) where status.code == 404:
        if !status.isStatus { forgetGroup(target.group) }
        return nil
      case .refused(let status): throw target.error(status)
      case .failed(let error), .lost(let error): throw error
      }
    } while token != nil || pages.isEmpty
    for page in pages { try Self.items(of: page, target, body) }
    return revision
  }

  /// Goes through the objects of a list.
  static func items(
    of page: [UInt8], _ target: RequestTarget, _ body: (KubernetesObject) throws(ObjectError) -> Void
  ) throws(DatastoreError) {
    var target = target
    do throws(ObjectError) {
      for text in try JSONMembers(page[...]).elements("items") {
        target.name = nil
        let object = try KubernetesObject(text)
        target.name = object.metadata.name
        try body(object)
      }
    } catch {
      throw target.error(error)
    }
  }
}

extension Listing.Scope {
  /// The kind of the entries.
  var kind: EntryKind {
    switch self {
    case .blocks: .blocks
    case .affinities, .allAffinities: .affinities
    case .handles: .handles
    case .resources(let kind): .resources(kind)
    }
  }

  /// The kind of the entries' objects.
  var objectKind: ObjectKind {
    switch self {
    case .blocks: .block
    case .affinities, .allAffinities, .resources(.blockAffinity): .affinity
    case .handles: .handle
    case .resources(.ipamConfiguration): .configuration
    case .resources(let kind): .resource(kind)
    }
  }

  /// What the labels of the objects have in common; nil where that tells nothing apart.
  ///
  /// Affinities of all owners are listed with those that have no labels yet (Calico IPAM specification, section 1.7).
  var selector: String? {
    guard case .affinities(let owner, let family) = self else { return nil }
    return AffinityLabels.selector(owner, family)
  }

  /// Whether an entry is in the range.
  func contains(_ key: Key) -> Bool {
    switch (self, key) {
    case (.blocks(let family), .block(let cidr)): family == nil || family == cidr.address.family
    case (.affinities(let owner, let family), .affinity(let other, let cidr)):
      owner == other && (family == nil || family == cidr.address.family)
    case (.allAffinities(let kind), .affinity(let owner, _)): owner.kind == kind
    case (.handles, .handle): true
    case (.resources(let kind), .resource(let other, _)): kind == other
    default: false
    }
  }
}

extension EntryForm {
  /// Reads an object of a range.
  func decode(_ object: KubernetesObject, _ scope: Listing.Scope) throws(ObjectError) -> DecodedEntry? {
    if case .resources(let kind) = scope { return try decode(object, as: kind) }
    return try decode(object, scope.objectKind)
  }

  /// Reads an object as a resource.
  func decode(_ object: KubernetesObject, as kind: ResourceKind) throws(ObjectError) -> DecodedEntry? {
    guard kind == .blockAffinity || kind == .ipamConfiguration else { return try decode(object, .resource(kind)) }
    let content = try asResource(object, kind)
    return DecodedEntry(
      key: content.key, bytes: content.bytes, isDeleted: content.isDeleted, revision: object.revision,
      foreign: ForeignMetadata(object.metadata, isAffinity: kind == .blockAffinity))
  }
}
