import CalicoModel
import Datastore
import KubernetesClient

// Deletions that somebody began and did not finish (Calico IPAM specification, section 1.3.3): to everybody the entry is
// gone, and whoever comes across its object deletes it.

extension KubernetesDatastore {
  /// Deletes the object of an entry that is half deleted: only the one of that revision's identity, and none that took
  /// its place.
  func finishDeletion(
    _ key: Key, _ revision: Revision, _ form: EntryForm, deadline: Deadline
  ) async throws(DatastoreError) {
    guard let kind = ObjectKind(key), let name = key.objectName else { return }
    let target = RequestTarget(verb: "delete", kind: kind, name: name, group: form.group)
    let request = KubernetesRequest(
      .delete, ResourcePath.object(kind.path(in: form.group), name),
      body: DeleteOptions.body(uid: revision.identity, resourceVersion: nil))
    // Without an identity the second request could meet a new object.
    var mayRepeat = revision.identity != nil
    while true {
      switch await server.write(request, target, deadline: deadline) {
      case .done: return
      case .lost:
        guard mayRepeat, !deadline.hasPassed else { return }
        mayRepeat = false
      // Somebody else was faster, and may have made a new one.
      case .refused(let status) where status.code == 404 || status.code == 409: return
      case .refused(let status): throw target.error(status)
      case .failed(let error): throw error
      }
    }
  }

  /// Deletes the objects of entries that a listing has met half deleted.
  ///
  /// That is a service to others: who may only read, or cannot now, has seen the right list all the same.
  func finishDeletions(_ found: [DecodedEntry], _ form: EntryForm, deadline: Deadline) async {
    let own = found.filter(\.key.isDeletedSoftly)
    if own.isEmpty { return }
    _ = await Parallel.map(own, limit: Self.parallelRequests) { [self] entry in
      try? await self.finishDeletion(entry.key, entry.revision, form, deadline: deadline)
    }
  }

  /// Creates an entry. One that is half deleted, which listings do not tell, is deleted first when it is in the way.
  func create(_ key: Key, _ bytes: [UInt8], _ form: EntryForm, deadline: Deadline) async -> WriteResult {
    let result = await put(key, bytes, base: nil, form, deadline: deadline)
    guard case .conflict = result, key.isDeletedSoftly, !deadline.hasPassed else { return result }
    do throws(DatastoreError) {
      guard let found = try await object(key, form, deadline: deadline), found.isDeleted else { return result }
      try await finishDeletion(key, found.revision, form, deadline: deadline)
    } catch {
      return .failed(error)
    }
    return await put(key, bytes, base: nil, form, deadline: deadline)
  }
}

extension Key {
  /// Whether a deletion of the entry takes two writes. An affinity that is met as a resource is deleted at once.
  var isDeletedSoftly: Bool {
    if case .resource = self { return false }
    return ObjectKind(self)?.isDeletedSoftly ?? false
  }
}
