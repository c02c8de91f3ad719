import CalicoModel
import Datastore
import IPAddressing
import KubernetesClient

// Listings of keys. A server sends the names of objects as the rows of a table, about 70 bytes each; whole objects are
// some 2,000 bytes, and even their metadata alone are 700 and more.

extension KubernetesDatastore {
  /// What a listing of names may be answered with: a table, or from a server that knows none a list of objects.
  private static let tables = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

  /// The keys of a collection of blocks or resources, in the server's order.
  ///
  /// A block that is half deleted is among them: a name does not tell.
  func keys(
    _ scope: Listing.Scope, _ form: EntryForm, deadline: Deadline
  ) async throws(DatastoreError) -> [Key] {
    let kind = scope.objectKind
    let target = RequestTarget(verb: "list", kind: kind, name: nil, group: form.group)
    let path = ResourcePath.query(kind.path(in: form.group), [("includeObject", "None")])
    let request = KubernetesRequest(.get, path, accepts: Self.tables)
    switch await server.read(request, target, deadline: deadline) {
    case .done(let body):
      let names: [String]?
      do throws(ObjectError) {
        names = try TableRows.names(in: body)
      } catch {
        throw target.error(error)
      }
      if let names { return try await keys(named: names, scope, form, deadline: deadline) }
      var entries: [DecodedEntry] = []
      try Self.items(of: body, target) { object throws(ObjectError) in
        if let entry = try form.decode(object, scope) { entries.append(entry) }
      }
      await finishDeletions(entries.filter(\.isDeleted), form, deadline: deadline)
      return entries.filter { !$0.isDeleted }.map(\.key)
    case .refused(let status) where status.code == 406:
      return try await entries(scope, form, deadline: deadline).entries.map(\.key)
    case .refused(let status) where status.code == 404:
      if !status.isStatus { forgetGroup(target.group) }
      try requireDefinition(of: scope, target)
      return []
    case .refused(let status): throw target.error(status)
    case .failed(let error), .lost(let error): throw error
    }
  }

  private func keys(
    named names: [String], _ scope: Listing.Scope, _ form: EntryForm, deadline: Deadline
  ) async throws(DatastoreError) -> [Key] {
    var keys: [Key] = []
    keys.reserveCapacity(names.count)
    var unnamed: [String] = []
    for name in names {
      if case .resources(let kind) = scope {
        keys.append(.resource(kind, name))
      } else if let cidr = ObjectName.network(name) {
        keys.append(.block(cidr))
      } else {
        unnamed.append(name)
      }
    }
    // What a block is about is in the object; Calico names it so, but others need not.
    let found = await Parallel.map(unnamed, limit: Self.parallelRequests) { [self] name in
      await self.block(named: name, form, deadline: deadline)
    }
    for result in found {
      if let key = try result.get() { keys.append(key) }
    }
    return keys
  }

  private func block(
    named name: String, _ form: EntryForm, deadline: Deadline
  ) async -> Result<Key?, DatastoreError> {
    let target = RequestTarget(verb: "get", kind: .block, name: name, group: form.group)
    let path = ResourcePath.object(ObjectKind.block.path(in: form.group), name)
    switch await server.read(KubernetesRequest(.get, path), target, deadline: deadline) {
    case .done(let body):
      do throws(ObjectError) {
        let entry = try form.decode(try KubernetesObject(body[...]), .block)
        return .success(entry.flatMap { $0.isDeleted ? nil : $0.key })
      } catch {
        return .failure(target.error(error))
      }
    case .refused(let status) where status.code == 404: return .success(nil)
    case .refused(let status): return .failure(target.error(status))
    case .failed(let error), .lost(let error): return .failure(error)
    }
  }
}
