import CalicoModel
import Datastore
import JSON
import KubernetesClient

// Nodes (Calico IPAM specification, section 4.4): only Calico's annotations are written, through the status.

extension KubernetesDatastore {
  func writeNode(_ write: PlannedWrite, _ form: EntryForm, deadline: Deadline) async -> WriteResult {
    guard case .resource(_, let name) = write.key, case .resource(let text)? = write.value else { return .conflict }
    let path = ResourcePath.object(ObjectKind.resource(.node).path(in: form.group), name)
    let reading = RequestTarget(verb: "get", kind: .resource(.node), name: name, group: form.group)
    let body: [UInt8]
    switch await server.read(KubernetesRequest(.get, path), reading, deadline: deadline) {
    case .done(let found): body = found
    case .refused(let status): return status.code == 404 ? .conflict : .failed(reading.error(status))
    case .failed(let error), .lost(let error): return .failed(error)
    }
    guard var node = (try? JSON(parsing: body))?.objectValue,
      let wanted = try? Resource(stored: text, kind: .node, name: name)
    else { return .failed(reading.error(ObjectError(field: "", reason: "it is no object"))) }
    if case .revision(let base) = write.base,
      node["metadata"]?.objectValue?["resourceVersion"]?.stringValue != base.token
    {
      return .conflict
    }
    node.setCalicoAnnotations(of: wanted)
    let writing = RequestTarget(verb: "update", kind: .resource(.node), name: name + "/status", group: form.group)
    let request = KubernetesRequest(.put, path + "/status", body: JSON.object(node).encoded())
    switch await server.write(request, writing, deadline: deadline) {
    case .done(let body):
      guard let revision = try? KubernetesObject(body[...]).revision else { return .inDoubt }
      return .made(revision)
    case .refused(let status):
      return status.isConflict || status.code == 404 ? .conflict : .failed(writing.error(status))
    case .lost: return .inDoubt
    case .failed(let error): return .failed(error)
    }
  }
}

extension JSONObject {
  /// Makes Calico's annotations those that a resource says; all others stay.
  fileprivate mutating func setCalicoAnnotations(of wanted: Resource) {
    var metadata = self["metadata"]?.objectValue ?? JSONObject()
    var annotations = metadata["annotations"]?.objectValue ?? JSONObject()
    for (path, annotation) in EntryForm.nodeMembers {
      annotations[annotation] = Self.text(wanted.specification, at: path).map { .string($0) }
    }
    for (path, annotation) in EntryForm.nodeStatusMembers {
      annotations[annotation] = Self.text(wanted.status ?? [:], at: path).map { .string($0) }
    }
    annotations[EntryForm.interfacesAnnotation] = wanted.specification["interfaces"].map {
      .string(String(decoding: $0.encoded(), as: UTF8.self))
    }
    annotations[EntryForm.labelsAnnotation] = Self.labels(of: wanted, beside: metadata["labels"]?.objectValue ?? [:])
    metadata["annotations"] = annotations.members.isEmpty ? nil : .object(annotations)
    self["metadata"] = .object(metadata)
  }

  /// The labels that Kubernetes does not have, as the annotation keeps them; nil for none. Where it has another value,
  /// that is the one that holds, whatever is written here.
  private static func labels(of wanted: Resource, beside own: JSONObject) -> JSON? {
    let labels = wanted.metadata["labels"]?.objectValue?.members ?? []
    let added = JSONObject(labels.filter { $0.value != own[$0.key] })
    if added.members.isEmpty { return nil }
    return .string(String(decoding: JSON.object(added).encoded(), as: UTF8.self))
  }

  private static func text(_ object: JSONObject, at path: [String]) -> String? {
    var value = JSON.object(object)
    for name in path {
      guard let member = value.objectValue?[name] else { return nil }
      value = member
    }
    if let number = value.numberValue { return number.literal }
    guard let text = value.stringValue, !text.isEmpty else { return nil }
    return text
  }
}
