import CalicoModel
public import Datastore
import KubernetesClient

extension KubernetesDatastore {
  /// How many requests of a batch are under way at once: they share a connection, and the server counts them all.
  static let parallelRequests = 16

  public func read(_ reads: [Read], deadline: Deadline) async throws(DatastoreError) -> [ReadResult] {
    for read in reads { try requireSupport(of: read) }
    var distinct: [Read] = []
    var indices: [Read: Int] = [:]
    for read in reads where indices[read] == nil {
      indices[read] = distinct.count
      distinct.append(read)
    }
    let results = try await results(of: distinct, deadline: deadline)
    var found: [ReadResult] = []
    found.reserveCapacity(reads.count)
    for read in reads {
      // Every read is among the distinct ones.
      guard let index = indices[read] else { continue }
      found.append(try results[index].get())
    }
    return found
  }

  /// Reads each. Where nobody knows yet in which group the server has its resources, it is asked that at the same time,
  /// and the usual group is assumed meanwhile.
  private func results(
    of reads: [Read], deadline: Deadline
  ) async throws(DatastoreError) -> [Result<ReadResult, DatastoreError>] {
    // Nodes are Kubernetes' own: no group need be known to read them.
    if let group = reads.allSatisfy(\.isCore) ? .v1 : knownGroup {
      return await results(of: reads, in: group, deadline: deadline)
    }
    async let answer = answeredGroup(deadline: deadline)
    let assumed = await results(of: reads, in: .v1, deadline: deadline)
    let group = try await answer.get()
    return group == .v1 ? assumed : await results(of: reads, in: group, deadline: deadline)
  }

  private func answeredGroup(deadline: Deadline) async -> Result<APIGroup, DatastoreError> {
    do throws(DatastoreError) { return .success(try await askForGroup(deadline: deadline)) } catch {
      return .failure(error)
    }
  }

  private func results(
    of reads: [Read], in group: APIGroup, deadline: Deadline
  ) async -> [Result<ReadResult, DatastoreError>] {
    let form = EntryForm(group: group, usesPodCIDR: options.usesPodCIDR)
    return await Parallel.map(reads, limit: Self.parallelRequests) { [self] read in
      await result(of: read, form, deadline: deadline)
    }
  }

  private func result(of read: Read, _ form: EntryForm, deadline: Deadline) async -> Result<ReadResult, DatastoreError>
  {
    do throws(DatastoreError) {
      switch read {
      case .entry(let key): return .success(.entry(try await entry(key, form, deadline: deadline)))
      case .list(let listing): return .success(.list(try await list(listing, form, deadline: deadline)))
      }
    } catch {
      return .failure(error)
    }
  }

  private func requireSupport(of read: Read) throws(DatastoreError) {
    switch read {
    case .entry(let key): try requireSupport(of: EntryKind(of: key), key.description)
    case .list(let listing): try requireSupport(of: listing.scope.kind, "\(listing.scope.kind)")
    }
  }

  // MARK: - Single entries

  private func entry(_ key: Key, _ form: EntryForm, deadline: Deadline) async throws(DatastoreError) -> Stored? {
    guard let found = try await object(key, form, deadline: deadline) else { return nil }
    if found.isDeleted {
      try await finishDeletion(key, found.revision, form, deadline: deadline)
      return nil
    }
    remember(found, keepsBody: true)
    return found.stored
  }

  /// Reads the object of an entry, half deleted or not; nil when there is none, or it is another entry's.
  func object(_ key: Key, _ form: EntryForm, deadline: Deadline) async throws(DatastoreError) -> DecodedEntry? {
    // A name that the server would not take is that of nothing.
    guard let kind = ObjectKind(key), let name = key.objectName, ObjectName.isValid(name) else { return nil }
    let target = RequestTarget(verb: "get", kind: kind, name: name, group: form.group)
    let path = ResourcePath.object(kind.path(in: form.group), name)
    switch await server.read(KubernetesRequest(.get, path), target, deadline: deadline) {
    case .done(let body):
      let found = try decode(body[...], kind, key, form, target)
      return found.flatMap { key.names($0.key) ? $0 : nil }
    case .refused(let status) where status.code == 404:
      if !status.isStatus { forgetGroup(form.group) }
      return nil
    case .refused(let status): throw target.error(status)
    case .failed(let error), .lost(let error): throw error
    }
  }

  /// Reads an object as the entry that a key asks for: affinities and switches are resources as well.
  private func decode(
    _ text: ArraySlice<UInt8>, _ kind: ObjectKind, _ key: Key, _ form: EntryForm, _ target: RequestTarget
  ) throws(DatastoreError) -> DecodedEntry? {
    do throws(ObjectError) {
      let object = try KubernetesObject(text)
      if case .resource(let resource, _) = key { return try form.decode(object, as: resource) }
      return try form.decode(object, kind)
    } catch {
      throw target.error(error)
    }
  }
}

extension Read {
  /// Whether it is about Kubernetes' own objects.
  fileprivate var isCore: Bool {
    switch self {
    case .entry(.resource(.node, _)): true
    case .list(let listing): listing.scope == .resources(.node)
    default: false
    }
  }
}

extension Key {
  /// Whether the entry in the object of this key's name is the one that the key means.
  ///
  /// A node's affinity and a virtual owner's may have one name; so may handles that differ in the case of letters only,
  /// but those are told as what they are, because Calico's own programs take one for the other as well.
  fileprivate func names(_ found: Key) -> Bool {
    switch self {
    case .affinity: self == found
    default: true
    }
  }
}
