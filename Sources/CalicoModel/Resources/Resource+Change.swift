public import JSON

extension Resource {
  /// This resource with another document, which was made by changing its own.
  ///
  /// What was changed is checked as strictly as a user's document; members that this version does not know, but that the
  /// resource has had, are no mistake.
  ///
  /// - Parameter document: the new document.
  /// - Returns: the changed resource.
  /// - Throws: ``ResourceError`` for an unknown or repeated key, a value of the wrong type, or when it would be another
  ///   resource: kind, version and name cannot be changed.
  public func changed(to document: JSONObject) throws(ResourceError) -> Resource {
    let schema = ResourceSchema.of(kind)
    let known = schema.withoutUnknown(of: self.document, in: document)
    var result = try Resource(manifest: .object(known))
    guard result.kind == kind else { throw Self.unchangeable("kind", kind.rawValue) }
    guard result.name == name else { throw Self.unchangeable("metadata.name", name) }
    result.document = schema.keepingUnknown(of: document, in: result.document)
    result.document = result.arrangedDocument
    return result
  }

  private static func unchangeable(_ member: String, _ value: String) -> ResourceError {
    ResourceError(.malformed, "\(member) is '\(value)' and cannot be changed")
  }
}
