import Datastore

/// What a request is about, for messages.
struct RequestTarget: Sendable {
  /// `get`, `list`, `watch`, `create`, `update` or `delete`, as roles have it.
  var verb: String
  var kind: ObjectKind
  /// Nil for a whole collection.
  var name: String?
  var group: APIGroup

  private var collection: String { kind.kubectlName(in: group) }

  /// Such as `create ipamblocks.crd.projectcalico.org "10-65-0-0-26"`.
  var description: String { name.map { "\(verb) \(collection) \"\($0)\"" } ?? "\(verb) \(collection)" }

  /// What a refusal means to the caller.
  func error(_ status: ServerStatus) -> DatastoreError {
    let apiGroup = kind.isCore ? "\"\"" : group.name
    switch status.code {
    case 401:
      return DatastoreError(
        .forbidden, "cannot \(description): the API server does not know who we are: \(status.message)",
        advice: "renew the token or the client certificate of the kubeconfig or the service account")
    case 403:
      return DatastoreError(
        .forbidden, "cannot \(description): \(status.message)",
        advice: "add a rule to the role of that user: apiGroups [\(apiGroup)], "
          + "resources [\(kind.plural(in: group))], verbs [\(verb)]")
    case 404 where name == nil || verb == "create": return missingDefinition
    case 422, 400, 413:
      let fields = status.causes.map(\.field).filter { !$0.isEmpty }
      return DatastoreError(
        .unusable, "cannot \(description): the API server refuses it: \(status.message)",
        advice: fields.isEmpty
          ? "compare the definition with that of this release: kubectl get crd \(collection) -o yaml"
          : "what it refuses is \(fields.joined(separator: ", ")); if the definition is of another release, "
            + "replace it: kubectl apply -k integration/kubernetes")
    case 400..<500 where status.code != 429 && status.code != 410:
      return DatastoreError(.unusable, "cannot \(description): status \(status.code): \(status.message)")
    default:
      return DatastoreError(
        .unavailable, "cannot \(description): status \(status.code): \(status.message)",
        advice: "see whether the API server is well: kubectl get --raw /readyz?verbose")
    }
  }

  /// The cluster knows no such resources.
  var missingDefinition: DatastoreError {
    DatastoreError(
      .unusable, "cannot \(description): the custom resource definition \(collection) is not installed",
      advice: "install Calico's definitions: kubectl apply -k integration/kubernetes")
  }

  /// What is wrong with an object that somebody has written.
  func error(_ error: ObjectError) -> DatastoreError {
    let field = error.field.isEmpty ? "" : " \(error.field):"
    let object = name ?? "an object"
    return DatastoreError(
      .unusable, "\(collection) \"\(object)\" is malformed:\(field) \(error.reason)",
      advice: "look at it with: kubectl get \(collection) \(object) -o yaml; correct it, or delete it if nobody uses it"
    )
  }
}
