public import JSON

/// A resource that people write, or that Calico's programs keep for people to read: its whole document.
///
/// A document is `{"kind":…,"apiVersion":"projectcalico.org/v3","metadata":{…},"spec":{…}}` (Calico IPAM specification,
/// section 4). It may have members that this version does not know; they stay where they are.
public struct Resource: Hashable, Sendable {
  public let kind: ResourceKind
  /// The name in `metadata`; empty when a user's document has none.
  public let name: String
  /// The whole document, with the resource version it was read at, if any.
  public var document: JSONObject

  /// Takes a document over as it is.
  ///
  /// - Parameters:
  ///   - kind: the kind that the document is of.
  ///   - name: the name in its metadata.
  ///   - document: the members.
  public init(_ kind: ResourceKind, name: String, document: JSONObject) {
    self.kind = kind
    self.name = name
    self.document = document
  }

  /// A resource with nothing but a specification.
  public init(_ kind: ResourceKind, name: String, specification: JSONObject) {
    self.init(
      kind, name: name,
      document: [
        "kind": .string(kind.rawValue), "apiVersion": .string(ResourceKind.apiVersion),
        "metadata": ["name": .string(name)], "spec": .object(specification),
      ])
  }

  /// Reads a resource as etcd and SQLite keep it.
  ///
  /// Members that are unknown, or of another type than expected, are kept.
  ///
  /// - Parameters:
  ///   - text: the stored text.
  ///   - kind: the kind in the entry's key.
  ///   - name: the name in the entry's key, which is what counts.
  ///   - version: the entry's revision, to be shown as `metadata.resourceVersion`; nil for none.
  /// - Throws: ``ResourceError`` of code `unreadable` when the text is no JSON object.
  public init(stored text: [UInt8], kind: ResourceKind, name: String, version: String? = nil) throws(ResourceError) {
    let reason: String
    do {
      if case .object(let document) = try JSON(parsing: text) {
        self.init(kind, name: name, document: document)
        metadata["name"] = .string(name)
        resourceVersion = version
        self.document = ResourceSchema.of(kind).arranged(self.document)
        return
      }
      reason = "not an object"
    } catch {
      reason = error.description
    }
    let key = Key.resource(kind, name)
    let value = String(decoding: text, as: UTF8.self)
    throw ResourceError(
      .unreadable(key),
      "failed to parse datastore entry key=\(KeyPath.path(of: key)); value=\(value): \(reason)")
  }

  /// The key of the resource's entry.
  public var key: Key { .resource(kind, name) }

  /// The text that the originals store in etcd: members in their order, those left out that say nothing, and no
  /// resource version, which is the entry's and not the document's (sections 1.11 and 4.6).
  public func encoded() -> [UInt8] {
    var stored = self
    stored.resourceVersion = nil
    return JSON.object(ResourceSchema.of(kind).arranged(stored.document)).encoded()
  }
}

// MARK: - Members

extension Resource {
  /// The members of `metadata`.
  public var metadata: JSONObject {
    get { document["metadata"]?.objectValue ?? JSONObject() }
    set { document["metadata"] = .object(newValue) }
  }

  /// The members of `spec`.
  public var specification: JSONObject {
    get { document["spec"]?.objectValue ?? JSONObject() }
    set { document["spec"] = .object(newValue) }
  }

  /// The members of `status`; nil when there is none.
  public var status: JSONObject? {
    get { document["status"]?.objectValue }
    set { document["status"] = newValue.map { .object($0) } }
  }

  /// Which state of the entry this is; nil when the document does not say.
  public var resourceVersion: String? {
    get { text(of: "resourceVersion") }
    set { setText(newValue, of: "resourceVersion") }
  }

  /// The identifier of this resource among all of its name; nil when there is none.
  public var uid: String? {
    get { text(of: "uid") }
    set { setText(newValue, of: "uid") }
  }

  /// When the resource was made, in RFC 3339; nil when nothing says.
  public var creationTimestamp: String? {
    get { text(of: "creationTimestamp") }
    set { setText(newValue, of: "creationTimestamp") }
  }

  /// A text in `metadata`; the empty one is none, as Go cannot tell them apart.
  private func text(of key: String) -> String? {
    guard let text = metadata[key]?.stringValue, !text.isEmpty else { return nil }
    return text
  }

  private mutating func setText(_ text: String?, of key: String) {
    metadata[key] = text.map { .string($0) }
  }

  /// The object of strings in `metadata` under a key such as `labels`; empty when there is none.
  func strings(of key: String) -> [(key: String, value: String)] {
    (metadata[key]?.objectValue?.members ?? []).map { ($0.key, $0.value.stringValue ?? "") }
  }
}

// MARK: - Whole documents

extension Resource {
  /// The document with its members in the order of the originals.
  public var arrangedDocument: JSONObject { ResourceSchema.of(kind).arranged(document) }

  /// What is stored when a user's document replaces a stored resource (calicoctl specification, section 4.3).
  ///
  /// All metadata but labels and annotations is the stored one, the resource version as well unless the document has
  /// one. Members that only newer versions know stay, and so does the status unless the document has one: other programs
  /// write it.
  ///
  /// - Parameter stored: what is stored.
  /// - Returns: the document that takes its place.
  public func replacing(_ stored: Resource) -> Resource {
    var result = self
    var metadata = stored.metadata
    for key in ["labels", "annotations"] { metadata[key] = self.metadata[key] }
    if let resourceVersion { metadata["resourceVersion"] = .string(resourceVersion) }
    result.metadata = metadata
    if status?.members.isEmpty ?? true { result.status = stored.status }
    result.document = ResourceSchema.of(kind).keepingUnknown(of: stored.document, in: result.document)
    result.document = result.arrangedDocument
    return result
  }
}

extension JSONObject {
  /// The object with only some of its members.
  public func reduced(to keys: [String]) -> JSONObject {
    JSONObject(members.filter { keys.contains($0.key) })
  }
}
