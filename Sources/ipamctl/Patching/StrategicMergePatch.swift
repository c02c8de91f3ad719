import JSON

/// Changes a resource by a document that looks like it, as Kubernetes' strategic merge does: lists of things with names
/// are merged by these, and directives say what cannot be said otherwise (calicoctl specification, section 4.3).
///
/// Of Calico's resources the lists in `metadata` and the conditions are merged; all other lists are replaced.
enum StrategicMergePatch {
  /// How a list is merged.
  private enum Strategy {
    /// By a member of its elements.
    case byMember(String)
    /// As a set of texts.
    case asSet
  }

  private static let strategies: [[String]: Strategy] = [
    ["metadata", "ownerReferences"]: .byMember("uid"), ["metadata", "finalizers"]: .asSet,
    ["status", "conditions"]: .byMember("type"),
  ]

  private static let directive = "$patch"
  private static let retained = "$retainKeys"
  private static let deletedTexts = "$deleteFromPrimitiveList/"
  private static let order = "$setElementOrder/"

  /// The document with what the patch says.
  ///
  /// - Throws: ``PatchFailure`` for a directive that cannot be followed.
  static func apply(_ patch: JSON, to document: JSON) throws(PatchFailure) -> JSON {
    guard case .object(let changes) = patch else { throw PatchFailure("a patch is an object, such as {\"spec\":{…}}") }
    guard let result = try merged(changes, into: document.objectValue ?? [:], []) else {
      throw PatchFailure("the whole resource cannot be deleted by a patch")
    }
    return .object(result)
  }

  /// The merged object; nil when it is to be deleted.
  private static func merged(
    _ changes: JSONObject, into object: JSONObject, _ path: [String]
  ) throws(PatchFailure) -> JSONObject? {
    var changes = changes
    switch changes[directive] {
    case nil, "merge": break
    case "delete": return nil
    case "replace":
      changes[directive] = nil
      return changes
    case .some(let other):
      throw PatchFailure("\(directive) has to be merge, replace or delete, not \(other.compactText)")
    }
    changes[directive] = nil
    var result = object
    if let keys = changes[retained] {
      let names = try texts(keys, retained)
      result.members.removeAll { !names.contains($0.key) }
      changes[retained] = nil
    }
    for member in changes.members {
      try merge(member, into: &result, path)
    }
    return result
  }

  private static func merge(
    _ change: JSONObject.Member, into object: inout JSONObject, _ path: [String]
  ) throws(PatchFailure) {
    if change.key.hasPrefix(deletedTexts) {
      let key = String(change.key.dropFirst(deletedTexts.utf8.count))
      let deleted = try texts(change.value, change.key)
      guard case .asSet? = strategies[path + [key]] else { throw PatchFailure("\(change.key): not a list of texts") }
      let left = (object[key]?.arrayValue ?? []).filter { $0.stringValue.map { !deleted.contains($0) } ?? true }
      object[key] = left.isEmpty ? JSON?.none : .array(left)
      return
    }
    // The order of what is merged by name says nothing here.
    if change.key.hasPrefix(order) { return }
    if change.key.hasPrefix("$") { throw PatchFailure("unknown directive \(change.key)") }
    let inner = path + [change.key]
    switch change.value {
    case .null: object[change.key] = nil
    case .object(let changes):
      let merged = try merged(changes, into: object[change.key]?.objectValue ?? [:], inner)
      object[change.key] = merged.map { .object($0) }
    case .array(let elements):
      object[change.key] = .array(try merged(elements, into: object[change.key]?.arrayValue ?? [], inner))
    default: object[change.key] = change.value
    }
  }

  // MARK: Lists

  private static func merged(
    _ changes: [JSON], into elements: [JSON], _ path: [String]
  ) throws(PatchFailure) -> [JSON] {
    switch strategies[path] {
    case nil: return changes
    case .asSet: return elements + changes.filter { !elements.contains($0) }
    case .byMember(let key):
      if changes.contains([directive: "replace"]) { return changes.filter { $0 != [directive: "replace"] } }
      var result = elements
      for change in changes { try merge(change, into: &result, key, path) }
      return result
    }
  }

  private static func merge(
    _ change: JSON, into elements: inout [JSON], _ key: String, _ path: [String]
  ) throws(PatchFailure) {
    guard case .object(let changes) = change, let name = changes[key] else {
      throw PatchFailure("an element of \(path.joined(separator: ".")) has no '\(key)', by which they are told apart")
    }
    let index = elements.firstIndex { $0.objectValue?[key] == name }
    // What is inside an element is merged as nothing that has a strategy.
    let merged = try merged(changes, into: index.flatMap { elements[$0].objectValue } ?? [:], path + ["*"])
    switch (index, merged) {
    case (let index?, let merged?): elements[index] = .object(merged)
    case (let index?, nil): elements.remove(at: index)
    case (nil, let merged?): elements.append(.object(merged))
    case (nil, nil): break
    }
  }

  private static func texts(_ value: JSON, _ key: String) throws(PatchFailure) -> [String] {
    guard case .array(let elements) = value else { throw PatchFailure("\(key) has to be a list of texts") }
    return elements.compactMap(\.stringValue)
  }
}
