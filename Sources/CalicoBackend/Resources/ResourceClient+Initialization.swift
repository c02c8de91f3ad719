public import CalicoModel
import Datastore
import JSON
import Synchronization

extension ResourceClient {
  /// Writes what every cluster's store holds and this one does not: ClusterInformation `default` and three tiers, in
  /// that order (Calico IPAM specification, section 4.6).
  ///
  /// What exists is left as it is, but for a ClusterInformation that does not say whether the store is ready: that is
  /// set to true, while an explicit false, the lock of a migration, stays.
  ///
  /// - Throws: `ResourceError`: `datastore`, `unreadable`, `unconfirmed`, or `updateConflict` when others kept writing the
  ///   same entries.
  public func initialize() async throws(ResourceError) {
    for _ in 1..<Self.attempts {
      do throws(ResourceError) {
        return try await initializeOnce()
      } catch {
        switch error.code {
        // Another program initialises the store at the same time; what it wrote is as good.
        case .alreadyExists, .updateConflict: continue
        default: throw error
        }
      }
    }
    try await initializeOnce()
  }

  private func initializeOnce() async throws(ResourceError) {
    let clusterGUID = surroundings.makeUUID().filter { $0 != "-" }
    let resources = InitialResources.all(clusterGUID: clusterGUID)
    var changes: [Change] = []
    for (resource, stored) in zip(resources, try await entries(resources.map(\.key))) {
      guard let stored else {
        let text = created(resource).encoded()
        changes.append(Change(resource.key, base: .absent, final: .value(.resource(text))))
        continue
      }
      guard resource.kind == .clusterInformation else { continue }
      var information = try Resource(stored: stored, kind: resource.kind, name: resource.name)
      guard information.specification["datastoreReady"]?.boolValue == nil else { continue }
      information.specification["datastoreReady"] = true
      let text = information.encoded()
      changes.append(Change(resource.key, base: .revision(stored.revision), final: .value(.resource(text))))
    }
    if !changes.isEmpty { _ = try await commit(changes) }
  }

  /// Initialises the store before a write of a person, who does not care: a failure means that the write fails as well,
  /// or that its author may write no tiers, and is not reported (calicoctl specification, section 4.2).
  func initializeIfPossible() async {
    if initialization.isDone.load(ordering: .relaxed) { return }
    do {
      try await initialize()
      initialization.isDone.store(true, ordering: .relaxed)
    } catch {
      return
    }
  }

  /// A new resource with the identifier and the time of creation that it does not bring along (section 4.5).
  func created(_ resource: Resource) -> Resource {
    var result = resource
    if result.uid == nil { result.uid = surroundings.makeUUID() }
    if result.creationTimestamp == nil { result.creationTimestamp = surroundings.now().description }
    return result
  }
}

/// Whether a client has seen that its store is initialised, so that it asks once and not for every resource.
final class Initialization: Sendable {
  let isDone = Atomic(false)
}
