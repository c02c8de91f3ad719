import Datastore
import JSON

/// The longest object that is taken: far more than an API server stores, and than etcd does.
private enum LongestObject {
  static let bytes = 16 << 20
}

extension KubernetesTransport {
  /// Hands over every object of a collection as it comes, where the server is one that lists everything at once from what
  /// it has in memory: there, pages are read from its store, one by one, which takes it several times as long.
  ///
  /// The list is of the latest state.
  ///
  /// - Parameters:
  ///   - path: the path of the collection with its query, without `limit` and `continue`.
  ///   - milliseconds: how long the server may say nothing.
  ///   - body: takes an object, as JSON.
  /// - Returns: whether the collection was listed; if not, nothing was handed over, and it has to be read page by page,
  ///   or the server does not give it at all.
  /// - Throws: ``KubernetesTransportError`` when the list breaks off; what `body` throws.
  public func forEachObject(
    of path: String, silence milliseconds: UInt64, _ body: (ArraySlice<UInt8>) throws -> Void
  ) async throws -> Bool {
    guard await listsFromMemory(deadline: .after(milliseconds: milliseconds)) else { return false }
    let next: @Sendable () async throws(KubernetesTransportError) -> [[UInt8]]?
    do throws(KubernetesTransportError) {
      let request = KubernetesRequest(.get, path)
      guard
        case .accepted(let pieces) = try await stream(request, by: .pieces, idleTimeout: .milliseconds(milliseconds))
      else { return false }
      next = pieces
    } catch {
      // Pages are asked for more than once.
      return false
    }
    var list = ListSplitter()
    while let pieces = try await next() {
      for piece in pieces { try list.take(piece, body) }
      guard list.pendingCount <= LongestObject.bytes else {
        throw KubernetesTransportError(
          .lost, "the answer of the API server to GET \(path) has an object of more than \(LongestObject.bytes) bytes",
          advice: "look at what answers there; no server keeps such an object")
      }
    }
    guard list.isComplete, Self.isWhole(list.metadata) else {
      throw KubernetesTransportError(
        .lost, "the answer of the API server to GET \(path) ends before the end of the list", advice: "try again")
    }
    return true
  }

  /// Whether nothing follows a list with such metadata. Nobody asked for a page.
  private static func isWhole(_ metadata: [UInt8]) -> Bool {
    metadata.isEmpty
      || (try? JSON(parsing: metadata))?.objectValue?["continue"]?.stringValue?.isEmpty ?? true
  }

  /// Whether the server answers lists of the latest state from memory, and sends them object by object (the features
  /// ConsistentListFromCache and StreamingCollectionEncodingToJSON, for everybody since 1.34). One that does not say is
  /// taken for an older one.
  private func listsFromMemory(deadline: Deadline) async -> Bool {
    guard let response = try? await send(KubernetesRequest(.get, "/version"), deadline: deadline),
      response.status == 200, let version = (try? JSON(parsing: response.body))?.objectValue,
      let major = version["major"]?.stringValue.flatMap({ Int($0) }),
      // Some write 34+.
      let minor = version["minor"]?.stringValue.flatMap({ Int($0.prefix { $0.isNumber }) })
    else { return false }
    return (major, minor) >= (1, 34)
  }
}
