import CalicoBackend
import CalicoModel
import Datastore
import IPAddressing
import JSON

/// Reads what `get` shows.
struct ResourceReading {
  private let session: Session
  private let client: ResourceClient

  init(_ session: Session) {
    self.session = session
    client = session.resources
  }

  /// Reads one.
  ///
  /// - Throws: `ResourceError` or `DatastoreError`.
  func one(_ kind: ShownKind, _ name: String) async throws -> ShownResource {
    let key: Key
    switch kind {
    case .written(let kind): return ShownResource(try await client.get(kind, name))
    case .block:
      guard let cidr = CIDR(name) ?? ObjectName.network(name) else {
        throw Self.absence(kind, name, advice: "a block is named by its network, such as 10.65.0.0/26 or 10-65-0-0-26")
      }
      key = .block(cidr.canonical)
    case .blockAffinity:
      guard let found = try await affinity(name) else { throw Self.absence(kind, name) }
      key = found
    case .handle: key = .handle(name)
    }
    guard let stored = try await session.entry(key) else { throw Self.absence(kind, name) }
    return try Self.shown(key, stored)
  }

  /// Reads all of a kind, page by page.
  ///
  /// - Parameters:
  ///   - kind: the kind.
  ///   - body: gets each in the order of names, or of networks.
  /// - Returns: why some cannot be shown.
  /// - Throws: `ResourceError` or `DatastoreError`.
  func all(_ kind: ShownKind, _ body: (ShownResource) -> Void) async throws -> [String] {
    if case .written(let kind) = kind {
      let list = try await client.list(kind)
      list.items.forEach { body(ShownResource($0)) }
      return list.unreadable.map(\.description)
    }
    var unreadable: [String] = []
    for scope in Self.scopes(kind) {
      try await session.forEachItem(scope) { item in
        guard let stored = item.stored else { return }
        do { body(try Self.shown(item.key, stored)) } catch { unreadable.append(error.advised) }
      }
    }
    return unreadable
  }

  /// The name that was probably meant by one that there is none of.
  func name(like name: String, _ kind: ResourceKind) async -> String? {
    if kind == .ipamConfiguration { return name == "default" ? nil : "default" }
    // Advice is given where it can be had: that the names cannot be read is no second error.
    let read = Read.list(Listing(.resources(kind), .keys))
    guard let results = try? await session.store.read([read], deadline: session.deadline),
      case .list(let list)? = results.first
    else { return nil }
    return NearestName.of(
      name,
      among: list.items.compactMap { item in
        guard case .resource(_, let name) = item.key else { return nil }
        return name
      })
  }

  private static func scopes(_ kind: ShownKind) -> [Listing.Scope] {
    switch kind {
    case .written(let kind): [.resources(kind)]
    case .block: [.blocks(.v4), .blocks(.v6)]
    case .blockAffinity: [.allAffinities(.host), .allAffinities(.virtual)]
    case .handle: [.handles]
    }
  }

  /// The affinity of a name. A virtual owner's and a node's may have one: the node's is meant then.
  private func affinity(_ name: String) async throws -> Key? {
    for kind in BlockOwner.Kind.allCases {
      let results = try await session.store.read(
        [.list(Listing(.allAffinities(kind), .keys))], deadline: session.deadline)
      guard case .list(let list)? = results.first else { continue }
      if let item = list.items.first(where: { $0.key.objectName == name }) { return item.key }
    }
    return nil
  }

  private static func shown(_ key: Key, _ stored: Stored) throws -> ShownResource {
    switch key {
    case .block(let cidr):
      return ShownResource(.block, name: ObjectName.of(cidr), document: try AllocationObject.document(cidr, stored))
    case .affinity(let owner, let cidr):
      return ShownResource(
        .blockAffinity, name: ObjectName.ofAffinity(owner.name, cidr),
        document: try AllocationObject.document(owner, cidr, stored))
    case .handle(let identifier):
      return ShownResource(
        .handle, name: identifier, document: try AllocationObject.document(handle: identifier, stored))
    default: throw ResourceError(.unsupported, "\(key) is not shown here")
    }
  }

  /// In the words that there are for other kinds.
  private static func absence(_ kind: ShownKind, _ name: String, advice: String? = nil) -> ResourceError {
    ResourceError(
      .unknownKind, "resource does not exist: \(kind.name)(\(name)) with error: <nil>", advice: advice)
  }
}

extension Session {
  /// How many entries are read at once: a full block has 16 KiB.
  private static let itemsOfPage = 256

  /// Hands every entry of a range over, in the order of keys, without holding all of them at once.
  func forEachItem(_ scope: Listing.Scope, _ body: (ListResult.Item) throws -> Void) async throws {
    var listing = Listing(scope, limit: Self.itemsOfPage)
    while true {
      let results = try await store.read([.list(listing)], deadline: deadline)
      guard case .list(let list)? = results.first else { return }
      try list.items.forEach(body)
      guard list.hasMore, let last = list.items.last else { return }
      listing.after = last.key
    }
  }
}
