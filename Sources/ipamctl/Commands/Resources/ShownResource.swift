import CalicoModel
import JSON

/// One thing that `get` shows.
struct ShownResource {
  let kind: ShownKind
  let name: String
  /// The whole document.
  var document: JSONObject

  init(_ kind: ShownKind, name: String, document: JSONObject) {
    self.kind = kind
    self.name = name
    self.document = document
  }

  init(_ resource: Resource) {
    self.init(.written(resource.kind), name: resource.name, document: resource.arrangedDocument)
  }

  /// The members of `spec`.
  var specification: JSONObject { document["spec"]?.objectValue ?? [:] }

  /// Which state of the entry this is; nil when the document does not say.
  var resourceVersion: String? { document["metadata"]?.objectValue?["resourceVersion"]?.stringValue }

  /// The resource without what belongs to the datastore it was read from (calicoctl specification, section 4.4).
  var exported: ShownResource {
    var exported = self
    var metadata = document["metadata"]?.objectValue ?? [:]
    let cleared = [
      "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    ]
    for key in cleared { metadata[key] = nil }
    exported.document["metadata"] = .object(metadata)
    return exported
  }
}
