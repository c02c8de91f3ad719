import JSON

/// Changes a document by another one that looks like it (RFC 7396).
enum MergePatch {
  /// The document with what the patch says: objects are merged, null removes a member, and everything else replaces what
  /// is there.
  static func apply(_ patch: JSON, to document: JSON) -> JSON {
    guard case .object(let changes) = patch else { return patch }
    var result = document.objectValue ?? JSONObject()
    for member in changes.members {
      // `nil` alone might be the null of JSON.
      let value = apply(member.value, to: result[member.key] ?? .null)
      result[member.key] = member.value == .null ? JSON?.none : value
    }
    return .object(result)
  }
}
