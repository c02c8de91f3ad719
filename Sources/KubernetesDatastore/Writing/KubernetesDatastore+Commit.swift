import CalicoModel
public import Datastore
import Synchronization

/// What became of one write.
enum WriteResult: Sendable {
  /// It was made; the revision is that of the entry, nil when it is gone.
  case made(Revision?)
  /// The entry was not what it must be.
  case conflict
  /// It may have been made.
  case inDoubt
  /// It was not made, and cannot be.
  case failed(DatastoreError)
}

extension KubernetesDatastore {
  public func commit(_ plan: Plan, deadline: Deadline) async throws(DatastoreError) -> Outcome {
    if plan.isEmpty { return .applied([:]) }
    for change in plan.changes { try requireWritable(change) }
    let form = try await form(deadline: deadline)
    state.withLock { $0.rests = BoundedMemory(capacity: 4) }
    let lagging = laggingPools(of: plan)
    var applied: [Write] = []
    var revisions: [Key: Revision] = [:]
    // What is read once more is on its way while other things than blocks are written.
    async let changed = changedPool(among: lagging, form, deadline: deadline)
    for step in plan.steps {
      if step.contains(where: \.isOfBlock), let pool = await changed {
        return .conflict(pool, applied: applied)
      }
      let writes = step.map { write in
        var write = write
        if let own = revisions[write.key] { write.base = .revision(own) }
        return write
      }
      let results = await Parallel.map(writes, limit: Self.parallelRequests) { [self] write in
        await self.make(write, form, deadline: deadline)
      }
      var conflict: Key?
      var inDoubt: Write?
      var failure: DatastoreError?
      for (write, result) in zip(writes, results) {
        switch result {
        case .made(let revision):
          applied.append(Write(write.key, write.stage, revision: revision))
          revisions[write.key] = revision
        case .conflict: conflict = conflict ?? write.key
        case .inDoubt: inDoubt = inDoubt ?? write.inDoubt
        case .failed(let error): failure = failure ?? error
        }
      }
      if let inDoubt { return .unknown(inDoubt, applied: applied) }
      if let conflict { return .conflict(conflict, applied: applied) }
      if let failure {
        // What is half made must be reported; an error would say that nothing was written.
        if applied.isEmpty { throw failure }
        return .unknown(nil, applied: applied)
      }
    }
    return .applied(revisions)
  }

  /// Refuses what the server would refuse, before anything is written.
  private func requireWritable(_ change: Change) throws(DatastoreError) {
    let key = change.key
    try requireSupport(of: EntryKind(of: key), key.description)
    switch key {
    case .host:
      throw DatastoreError(
        .unsupported, "operation is not supported on \(key): there are no such objects in Kubernetes")
    case .resource(.node, _):
      guard case .value = change.final, change.base != .absent else {
        throw DatastoreError(
          .unsupported, "operation is not supported on \(key): nodes are made and deleted by Kubernetes",
          advice: "kubectl delete node removes a node")
      }
    default: break
    }
    guard let name = key.objectName, !ObjectName.isValid(name) else { return }
    throw DatastoreError(
      .unusable,
      "\(key) cannot be kept in Kubernetes: \"\(name)\" is no name of an object, which is a DNS subdomain in lower case "
        + "(a-z, 0-9, '-' and '.', beginning and ending with a letter or digit, at most 253 bytes)",
      advice: "use a network name and container identifiers of these characters only")
  }

  private func make(_ write: PlannedWrite, _ form: EntryForm, deadline: Deadline) async -> WriteResult {
    if case .resource(.node, _) = write.key { return await writeNode(write, form, deadline: deadline) }
    guard let value = write.value else { return await delete(write.key, write.base, form, deadline: deadline) }
    switch write.base {
    case .absent: return await create(write.key, value.encoded(), form, deadline: deadline)
    case .revision(let base): return await put(write.key, value.encoded(), base: base, form, deadline: deadline)
    case .any: return await overwrite(write.key, value.encoded(), form, deadline: deadline)
    }
  }
}
