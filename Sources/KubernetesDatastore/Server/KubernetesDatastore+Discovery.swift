import CalicoModel
import Datastore
import JSON
import KubernetesClient
import Synchronization

extension KubernetesDatastore {
  /// The group of the server's resources (Calico IPAM specification, section 1.3.1).
  ///
  /// A server that refuses the question is taken for one of the first group.
  func group(deadline: Deadline) async throws(DatastoreError) -> APIGroup {
    if let group = knownGroup { return group }
    return try await askForGroup(deadline: deadline)
  }

  /// The group, where it is known without asking the server.
  var knownGroup: APIGroup? {
    if let group = state.withLock({ $0.group }) { return group }
    let group = options.apiGroup.isEmpty ? cache?.read() : APIGroup(setting: options.apiGroup)
    if let group { state.withLock { $0.group = group } }
    return group
  }

  private var cache: DiscoveryCache? {
    options.discoveryCache.map { DiscoveryCache(path: $0, server: options.server) }
  }

  /// Asks the server for the group.
  func askForGroup(deadline: Deadline) async throws(DatastoreError) -> APIGroup {
    let target = RequestTarget(verb: "get", kind: .block, name: "", group: .v1)
    switch await server.read(KubernetesRequest(.get, "/apis"), target, deadline: deadline) {
    case .done(let body):
      guard let group = Self.group(in: body) else { return .v1 }
      state.withLock { $0.group = group }
      cache?.write(group)
      return group
    case .refused:
      state.withLock { $0.group = .v1 }
      return .v1
    case .failed(let error), .lost(let error): throw error
    }
  }

  /// The group that a list of groups speaks for; nil when it is none.
  static func group(in body: [UInt8]) -> APIGroup? {
    guard let groups = (try? JSON(parsing: body))?.objectValue?["groups"]?.arrayValue else { return nil }
    let names = Set(groups.compactMap { $0.objectValue?["name"]?.stringValue })
    // With both, the second one is served by a program that keeps its data in the first.
    return names.contains(APIGroup.v3.name) && !names.contains(APIGroup.v1.name) ? .v3 : .v1
  }

  /// Forgets what the server said: its resources are not where they were.
  ///
  /// - Parameter group: where they were looked for. What was merely assumed is not what the server said.
  func forgetGroup(_ group: APIGroup) {
    guard options.apiGroup.isEmpty else { return }
    let isKnown = state.withLock { state in
      guard state.group == group else { return false }
      state.group = nil
      return true
    }
    if isKnown { cache?.remove() }
  }
}
