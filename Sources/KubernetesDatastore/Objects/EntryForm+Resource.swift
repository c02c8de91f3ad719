import CalicoModel
import JSON

// Resources that people write, as etcd keeps them: documents of `projectcalico.org/v3`, whatever the group here (Calico
// IPAM specification, section 1.3.5).

extension EntryForm {
  func resource(_ object: KubernetesObject, _ kind: ResourceKind) throws(ObjectError) -> Content {
    let name = object.metadata.name
    var resource = Resource(kind, name: name, specification: try Self.members(object.specification, "spec"))
    resource.metadata = metadata(object.metadata)
    if let status = object.status { resource.status = try Self.members(status, "status") }
    return Content(key: .resource(kind, name), bytes: resource.encoded())
  }

  /// The object of an affinity or of the switches as a resource, which it is as well.
  func asResource(_ object: KubernetesObject, _ kind: ResourceKind) throws(ObjectError) -> Content {
    var content = try resource(object, kind)
    if kind == .blockAffinity {
      content.isDeleted = try isDeleted(try JSONMembers(object.specification, at: "spec"))
    }
    return content
  }

  private static func members(_ text: ArraySlice<UInt8>?, _ field: String) throws(ObjectError) -> JSONObject {
    guard let text else { return [:] }
    do throws(JSONError) {
      return try JSON(parsing: text).objectValue ?? [:]
    } catch {
      throw ObjectError(field: field, reason: error.description)
    }
  }

  /// The metadata that are shown: those in the copy, if there is one, over those of the object.
  private func metadata(_ metadata: ObjectMetadata) -> JSONObject {
    let copy = group == .v1 ? metadata.copy.flatMap { try? JSON(parsing: Array($0.utf8)).objectValue } : nil
    var labels = Self.strings(metadata.labels)
    var annotations = Self.strings(metadata.annotations.filter { group == .v3 || $0.key != ObjectMetadata.copyKey })
    for (key, value) in copy?["labels"]?.objectValue?.members.map({ ($0.key, $0.value) }) ?? [] { labels[key] = value }
    for (key, value) in copy?["annotations"]?.objectValue?.members.map({ ($0.key, $0.value) }) ?? [] {
      annotations[key] = value
    }
    var result: JSONObject = ["name": .string(metadata.name), "uid": .string(metadata.uid)]
    result["creationTimestamp"] =
      copy?["creationTimestamp"]?.stringValue.map { .string($0) }
      ?? metadata.creationTimestamp.map { .string($0) }
    result["deletionTimestamp"] = metadata.deletionTimestamp.map { .string($0) }
    if !labels.members.isEmpty { result["labels"] = .object(labels) }
    if !annotations.members.isEmpty { result["annotations"] = .object(annotations) }
    result["ownerReferences"] = metadata.ownerReferences.flatMap { try? JSON(parsing: $0) }
    result["finalizers"] = metadata.finalizers.flatMap { try? JSON(parsing: $0) }
    return result
  }

  private static func strings(_ labels: [Label]) -> JSONObject {
    JSONObject(labels.map { .init(key: $0.key, value: .string($0.value)) })
  }
}
