import CalicoModel
public import Datastore

extension KubernetesDatastore {
  /// Labels the affinities of a node that were written before there were labels, and which listings of its affinities do
  /// not find (Calico IPAM specification, section 3.19).
  ///
  /// - Parameters:
  ///   - node: the node.
  ///   - deadline: when to give up.
  /// - Returns: how many were labelled.
  /// - Throws: `DatastoreError` when that cannot be done, or others keep changing them.
  @discardableResult
  public func upgradeHost(_ node: String, deadline: Deadline) async throws(DatastoreError) -> Int {
    try requireSupport(of: .affinities, "the affinities of \(node)")
    let form = try await form(deadline: deadline)
    var count = 0
    var pause = Duration.milliseconds(100)
    while true {
      let found = try await entries(
        .allAffinities(.host), selector: AffinityLabels.unlabelled, form, deadline: deadline
      ).entries
      var hasConflict = false
      for entry in found {
        guard case .affinity(let owner, _) = entry.key, owner.name == node else { continue }
        // A write of the same value writes the labels as well.
        switch await put(entry.key, entry.bytes, base: entry.revision, form, deadline: deadline) {
        case .made: count += 1
        case .conflict, .inDoubt: hasConflict = true
        case .failed(let error): throw error
        }
      }
      if !hasConflict { return count }
      if deadline.hasPassed {
        throw DatastoreError(
          .unavailable, "the affinities of \(node) could not be labelled: others keep changing them",
          advice: "try again")
      }
      do {
        try await Task.sleep(for: pause)
      } catch {
        throw DatastoreError(.unavailable, "the labelling of the affinities of \(node) was cancelled")
      }
      pause *= 2
    }
  }
}
