public import JSON

extension Resource {
  /// The most bytes of a document (calicoctl specification, section 4.2).
  public static let maximumDocumentSize = 10_000_000

  /// Reads a document that people write: one resource, a list of resources in brackets, or a `…List` with `items`.
  ///
  /// Decoding is strict: what a kind does not have is an error, not ignored (section 4.2).
  ///
  /// - Parameter text: the document in JSON.
  /// - Returns: the resources in their order; the name of one may be empty.
  /// - Throws: ``ResourceError`` for the first thing that is wrong.
  public static func resources(inManifest text: [UInt8]) throws(ResourceError) -> [Resource] {
    guard text.count <= maximumDocumentSize else {
      throw ResourceError(.malformed, "a document of \(text.count) bytes; at most \(maximumDocumentSize) are read")
    }
    let document: JSON
    do {
      document = try JSON(parsing: text)
    } catch {
      throw ResourceError(.malformed, error.description)
    }
    return try resources(inManifest: document)
  }

  /// Reads a document that people write, parsed; see ``resources(inManifest:)-([UInt8])``.
  public static func resources(inManifest document: JSON) throws(ResourceError) -> [Resource] {
    switch document {
    case .array(let elements):
      var resources: [Resource] = []
      for (index, element) in elements.enumerated() {
        resources.append(try Resource(manifest: element, at: DocumentPlace([.element(index)])))
      }
      return resources
    case .object(let object): return try resources(inManifest: object)
    default: return [try Resource(manifest: document)]
    }
  }

  private static func resources(inManifest object: JSONObject) throws(ResourceError) -> [Resource] {
    guard let kind = object["kind"]?.stringValue, kind.hasSuffix("List"), let items = object["items"]?.arrayValue else {
      return [try Resource(manifest: .object(object))]
    }
    try checkVersion(object, kind)
    guard let listed = ResourceKind.written.first(where: { $0.rawValue + "List" == kind }) else {
      throw unknownKind(object, kind)
    }
    var resources: [Resource] = []
    for (index, element) in items.enumerated() {
      var item = element
      // Items of a list need not repeat what the list says of them.
      if case .object(var object) = item {
        if object["kind"] == nil { object["kind"] = .string(listed.rawValue) }
        if object["apiVersion"] == nil { object["apiVersion"] = .string(ResourceKind.apiVersion) }
        item = .object(object)
      }
      resources.append(try Resource(manifest: item, at: DocumentPlace([.member("items"), .element(index)])))
    }
    return resources
  }

  /// Reads one resource that people write.
  ///
  /// - Parameter document: the resource, as `kind` says an IPPool, IPReservation, IPAMConfiguration or Node.
  /// - Throws: ``ResourceError`` for the first thing that is wrong.
  public init(manifest document: JSON) throws(ResourceError) {
    guard case .object(let object) = document else {
      throw ResourceError(
        .malformed, "cannot unmarshal \(document.kindName) into Go value of type unstructured.resource")
    }
    let name = object["kind"]?.stringValue ?? ""
    try Self.checkVersion(object, name)
    guard let kind = ResourceKind.written.first(where: { $0.rawValue == name }) else {
      throw Self.unknownKind(object, name)
    }
    let checked = try ResourceSchema.of(kind).checked(object)
    self.init(
      kind, name: checked["metadata"]?.objectValue?["name"]?.stringValue ?? "",
      document: ResourceSchema.of(kind).arranged(checked))
    if let namespace = metadata["namespace"]?.stringValue, !namespace.isEmpty {
      let detail = "\(kind.rawValue) is not a namespaced resource"
      throw ResourceError(
        .malformed, "namespace should not be specified for a non-namespaced resource. \(detail)",
        at: DocumentPlace([.member("metadata"), .member("namespace")]), advice: "remove it")
    }
  }

  /// Reads one resource that is at a place in a document.
  private init(manifest document: JSON, at place: DocumentPlace) throws(ResourceError) {
    do throws(ResourceError) {
      try self.init(manifest: document)
    } catch {
      throw error.within(place)
    }
  }

  private static func checkVersion(_ object: JSONObject, _ kind: String) throws(ResourceError) {
    if object["apiVersion"]?.stringValue != ResourceKind.apiVersion { throw unknownKind(object, kind) }
  }

  /// A kind or version that is not handled: misspelled, missing, or another program's.
  private static func unknownKind(_ object: JSONObject, _ kind: String) -> ResourceError {
    let version = object["apiVersion"]?.stringValue ?? ""
    let text = "unknown resource type (\(kind)) and/or version (\(version))"
    let names = ResourceKind.written.map(\.rawValue)
    if version == ResourceKind.apiVersion {
      let meant = NearestName.of(kind, among: names + names.map { $0 + "List" })
      let advice = meant.map { "did you mean '\($0)'?" } ?? "has to be one of \(names.joined(separator: ", "))"
      return ResourceError(.unknownKind, text, at: DocumentPlace([.member("kind")]), advice: advice)
    }
    let advice = "has to be \(ResourceKind.apiVersion)"
    return ResourceError(.unknownKind, text, at: DocumentPlace([.member("apiVersion")]), advice: advice)
  }
}
