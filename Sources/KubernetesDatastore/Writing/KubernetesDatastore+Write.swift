import CalicoModel
import Datastore
import KubernetesClient
import Synchronization

// Single writes (Calico IPAM specification, section 1.3.3).

extension KubernetesDatastore {
  /// How often whatever is there is looked at again when it changes meanwhile.
  private static let attempts = 20

  /// Creates an object, or replaces the one of a revision.
  func put(
    _ key: Key, _ bytes: [UInt8], isDeleted: Bool = false, base: Revision?, _ form: EntryForm, deadline: Deadline
  ) async -> WriteResult {
    guard let kind = ObjectKind(key), let name = key.objectName else { return .conflict }
    let target = RequestTarget(verb: base == nil ? "create" : "update", kind: kind, name: name, group: form.group)
    let foreign = foreign(key, at: base)
    let request: KubernetesRequest
    do throws(ObjectError) {
      let body = try form.body(
        EntryForm.Writing(key: key, bytes: bytes, isDeleted: isDeleted, base: base, foreign: foreign))
      let path = kind.path(in: form.group)
      request =
        base == nil
        ? KubernetesRequest(.post, path, body: body)
        : KubernetesRequest(.put, ResourcePath.object(path, name), body: body)
    } catch {
      return .failed(target.error(error))
    }
    switch await server.write(request, target, deadline: deadline) {
    case .done(let body):
      // It is written, whatever the answer looks like.
      guard let revision = try? KubernetesObject(body[...]).revision else { return .inDoubt }
      noteWrite(key, bytes, revision, foreign)
      return .made(revision)
    case .refused(let status):
      if status.isConflict || base != nil && status.code == 404 { return .conflict }
      if status.code == 404 { forgetGroup(form.group) }
      return .failed(target.error(status))
    case .lost: return .inDoubt
    case .failed(let error): return .failed(error)
    }
  }

  private func noteWrite(_ key: Key, _ bytes: [UInt8], _ revision: Revision, _ foreign: ForeignMetadata?) {
    state.withLock { state in
      state.bodies[key] = Body(revision: revision, bytes: bytes)
      state.foreign[key] = foreign.map { Foreign(revision: revision, metadata: $0) }
    }
  }

  /// Writes an entry whatever it was.
  func overwrite(_ key: Key, _ bytes: [UInt8], _ form: EntryForm, deadline: Deadline) async -> WriteResult {
    for _ in 0..<Self.attempts {
      let base: Revision?
      switch await present(key, form, deadline: deadline) {
      case .success(let found): base = found?.revision
      case .failure(let error): return .failed(error)
      }
      let result = await put(key, bytes, base: base, form, deadline: deadline)
      guard case .conflict = result, !deadline.hasPassed else { return result }
    }
    return .conflict
  }

  /// An entry as it is; one that is half deleted is deleted first, because whoever began that goes by its identity only,
  /// and would delete what is put in its place.
  private func present(
    _ key: Key, _ form: EntryForm, deadline: Deadline
  ) async -> Result<DecodedEntry?, DatastoreError> {
    do throws(DatastoreError) {
      guard let found = try await object(key, form, deadline: deadline) else { return .success(nil) }
      if found.isDeleted {
        try await finishDeletion(key, found.revision, form, deadline: deadline)
        return .success(nil)
      }
      remember(found, keepsBody: true)
      return .success(found)
    } catch {
      return .failure(error)
    }
  }

  // MARK: - Deletion

  func delete(_ key: Key, _ base: Base, _ form: EntryForm, deadline: Deadline) async -> WriteResult {
    switch base {
    case .revision(let revision): return await delete(key, at: revision, form, deadline: deadline)
    case .absent:
      switch await present(key, form, deadline: deadline) {
      case .success(let found): return found == nil ? .made(nil) : .conflict
      case .failure(let error): return .failed(error)
      }
    case .any:
      for _ in 0..<Self.attempts {
        switch await present(key, form, deadline: deadline) {
        case .success(nil): return .made(nil)
        case .success(.some(let found)):
          let result = await delete(key, at: found.revision, form, deadline: deadline)
          guard case .conflict = result, !deadline.hasPassed else { return result }
        case .failure(let error): return .failed(error)
        }
      }
      return .conflict
    }
  }

  /// Deletes an entry of a revision.
  ///
  /// What address management keeps is first marked as deleted, which is the write that may conflict; from then on it is
  /// gone to everybody, and whoever finds it finishes what is not finished here.
  private func delete(
    _ key: Key, at revision: Revision, _ form: EntryForm, deadline: Deadline
  ) async -> WriteResult {
    guard let kind = ObjectKind(key) else { return .conflict }
    guard key.isDeletedSoftly else {
      return await deleteAtOnce(key, kind, at: revision, form, deadline: deadline)
    }
    let bytes: [UInt8]
    switch await body(of: key, at: revision, form, deadline: deadline) {
    case .success(.some(let found)): bytes = found
    case .success(nil): return .conflict
    case .failure(let error): return .failed(error)
    }
    let marked = await put(key, bytes, isDeleted: true, base: revision, form, deadline: deadline)
    guard case .made(let left) = marked else { return marked }
    state.withLock { state in
      state.bodies[key] = nil
      state.foreign[key] = nil
    }
    do throws(DatastoreError) {
      try await finishDeletion(key, left ?? revision, form, deadline: deadline)
    } catch {
      // It is gone to everybody already.
      return .made(nil)
    }
    return .made(nil)
  }

  /// The value of an entry of a revision, from memory if it is there; nil when the entry has another revision by now.
  private func body(
    of key: Key, at revision: Revision, _ form: EntryForm, deadline: Deadline
  ) async -> Result<[UInt8]?, DatastoreError> {
    if let known = state.withLock({ $0.bodies[key] }), known.revision == revision { return .success(known.bytes) }
    return await present(key, form, deadline: deadline).map { found in
      found.flatMap { $0.revision == revision ? $0.bytes : nil }
    }
  }

  /// Deletes an object in one request, if it still has a revision.
  private func deleteAtOnce(
    _ key: Key, _ kind: ObjectKind, at revision: Revision, _ form: EntryForm, deadline: Deadline
  ) async -> WriteResult {
    guard let name = key.objectName else { return .conflict }
    let target = RequestTarget(verb: "delete", kind: kind, name: name, group: form.group)
    let request = KubernetesRequest(
      .delete, ResourcePath.object(kind.path(in: form.group), name),
      body: DeleteOptions.body(uid: revision.identity, resourceVersion: revision.token))
    switch await server.write(request, target, deadline: deadline) {
    case .done: return .made(nil)
    case .refused(let status):
      return status.code == 404 || status.isConflict ? .conflict : .failed(target.error(status))
    case .lost: return .inDoubt
    case .failed(let error): return .failed(error)
    }
  }
}
