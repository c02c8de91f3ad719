import CalicoModel
import Datastore
import JSON

// What is sent to create or replace an object.

extension EntryForm {
  /// An entry as it is to be written.
  struct Writing {
    var key: Key
    /// The JSON that etcd keeps.
    var bytes: [UInt8]
    var isDeleted = false
    /// What is replaced; nil to create.
    var base: Revision?
    /// What others have written into the metadata of what is replaced.
    var foreign: ForeignMetadata?
  }

  /// The text of an object.
  ///
  /// - Throws: ``ObjectError`` when the value cannot be put into that form.
  func body(_ writing: Writing) throws(ObjectError) -> [UInt8] {
    guard let kind = ObjectKind(writing.key), let name = writing.key.objectName else {
      throw ObjectError(field: "", reason: "there are no such objects")
    }
    let metadata: [UInt8]
    let specification: [UInt8]
    switch writing.key {
    case .block:
      specification = try blockSpecification(writing.bytes, isDeleted: writing.isDeleted)
      metadata = self.metadata(writing, name, labels: [])
    case .affinity(let owner, let cidr):
      specification = try affinitySpecification(writing.bytes, owner, cidr, isDeleted: writing.isDeleted)
      metadata = self.metadata(writing, name, labels: AffinityLabels.of(owner, cidr))
    case .handle(let identifier):
      specification = try handleSpecification(writing.bytes, identifier, isDeleted: writing.isDeleted)
      metadata = self.metadata(writing, name, labels: [])
    case .configuration:
      specification = try configurationSpecification(writing.bytes)
      metadata = self.metadata(writing, name, labels: [])
    case .resource(let kind, _):
      let resource = try Self.resource(writing.bytes, kind, name)
      specification = JSON.object(self.specification(of: resource, isNew: writing.base == nil)).encoded()
      metadata = self.metadata(of: resource, writing)
    case .host: throw ObjectError(field: "", reason: "there are no such objects")
    }
    var writer = JSONObjectWriter(reservingCapacity: specification.count + metadata.count + 96)
    writer.member("kind", string: kind.name(in: group))
    writer.member("apiVersion", string: kind.apiVersion(in: group))
    writer.member("metadata", metadata[...])
    writer.member("spec", specification[...])
    return writer.finished()
  }

  private static func resource(_ bytes: [UInt8], _ kind: ResourceKind, _ name: String) throws(ObjectError) -> Resource {
    do throws(ResourceError) {
      return try Resource(stored: bytes, kind: kind, name: name)
    } catch {
      throw ObjectError(field: "", reason: error.description)
    }
  }

  // MARK: - Metadata

  /// The metadata of what address management itself writes: others' are kept, and there are no more of its own than
  /// labels.
  private func metadata(_ writing: Writing, _ name: String, labels: [Label]) -> [UInt8] {
    var annotations = writing.foreign?.annotations ?? []
    if group == .v1 {
      var copy = JSONObjectWriter()
      copy.member("labels", labels: labels)
      let standard = String(decoding: copy.finished(), as: UTF8.self)
      annotations.append(Label(ObjectMetadata.copyKey, writing.foreign?.copy(with: labels) ?? standard))
    }
    return metadata(writing, name, labels: labels + (writing.foreign?.labels ?? []), annotations: annotations)
  }

  private func metadata(_ writing: Writing, _ name: String, labels: [Label], annotations: [Label]) -> [UInt8] {
    var writer = JSONObjectWriter()
    writer.member("name", string: name)
    writer.member("uid", string: writing.base?.identity)
    writer.member("resourceVersion", string: writing.base?.token)
    writer.member("labels", labels: labels)
    writer.member("annotations", labels: annotations)
    writer.member("ownerReferences", writing.foreign?.ownerReferences)
    writer.member("finalizers", writing.foreign?.finalizers)
    return writer.finished()
  }

  /// The metadata of a resource. In the first group people's labels and annotations are in the copy, and those of Calico
  /// on the object as well, unless they were found on the object itself (section 1.3.5).
  private func metadata(of resource: Resource, _ writing: Writing) -> [UInt8] {
    let labels = Self.labels(resource.metadata["labels"])
    let annotations = Self.labels(resource.metadata["annotations"])
    var written = writing
    // The document has them, if they are still wanted.
    written.foreign?.finalizers = resource.metadata["finalizers"].map { $0.encoded()[...] }
    written.foreign?.ownerReferences = resource.metadata["ownerReferences"].map { $0.encoded()[...] }
    guard group == .v1 else {
      return metadata(written, resource.name, labels: labels, annotations: annotations)
    }
    let found = (writing.foreign?.labels ?? [], writing.foreign?.annotations ?? [])
    func isFound(_ label: Label, _ found: [Label]) -> Bool {
      !Self.isCalico(label) && found.contains { $0.key == label.key }
    }
    var copy = JSONObjectWriter()
    copy.member("creationTimestamp", string: resource.creationTimestamp)
    copy.member("labels", labels: labels.filter { !isFound($0, found.0) })
    copy.member("annotations", labels: annotations.filter { !isFound($0, found.1) })
    let text = String(decoding: copy.finished(), as: UTF8.self)
    return metadata(
      written, resource.name, labels: labels.filter { Self.isCalico($0) || isFound($0, found.0) },
      annotations: annotations.filter { Self.isCalico($0) || isFound($0, found.1) }
        + [Label(ObjectMetadata.copyKey, text)])
  }

  private static func isCalico(_ label: Label) -> Bool {
    label.key.contains("projectcalico.org/") || label.key.contains("operator.tigera.io/")
  }

  private static func labels(_ value: JSON?) -> [Label] {
    (value?.objectValue?.members ?? []).compactMap { member in
      member.value.stringValue.map { Label(member.key, $0) }
    }
  }

  // MARK: - Specifications of resources

  private func specification(of resource: Resource, isNew: Bool) -> JSONObject {
    var members = resource.specification
    switch resource.kind {
    case .blockAffinity where group == .v3:
      // Text in etcd, where nobody but people reads it.
      if let text = members["deleted"]?.stringValue { members["deleted"] = .bool(text == "true") }
    case .clusterInformation where isNew:
      // Whoever initialises a cluster says what keeps its data (section 4.6).
      let types = members["clusterType"]?.stringValue ?? ""
      if !types.split(separator: ",").contains("kdd") {
        members["clusterType"] = .string(types.isEmpty ? "kdd" : types + ",kdd")
      }
    default: break
    }
    return members
  }
}
